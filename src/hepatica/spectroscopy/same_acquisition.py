"""Same acquisition: whether a network may read spectra that were acquired so."""

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.acquisition import Acquisition

TOLERANCES = {"f0_mhz": 0.6, "te_ms": 1.0, "tm_ms": 1.0, "bandwidth_hz": 0.1, "points": 0.5, "reference_ppm": 0.005}
"""Most that numbers may differ by (ours). 0.6 MHz move a peak by less than 0.03 ppm of those 0.08 that are learnt."""


def require_same_acquisition(acquisition: Acquisition, *, learnt: Acquisition) -> None:
    """Raise SpecimenError where spectra of `acquisition` are not what a network of `learnt` has seen.

    Other echo times, sequences and field strengths make other peaks; another bandwidth or length other points.
    """
    differing = [
        f"{name} = {_told(getattr(acquisition, name))}, not {_told(getattr(learnt, name))}"
        for name in ("sequence", *TOLERANCES)
        if _differ(getattr(acquisition, name), getattr(learnt, name), most=TOLERANCES.get(name, 0.0))
    ]
    if differing:
        raise SpecimenError(
            f"the spectrum was acquired otherwise than those the network learnt from ({'; '.join(differing)}): fit it"
            " by nls or map, which take any acquisition, or train a network for this one"
        )


def _differ(one: object, other: object, *, most: float) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) > most
    return one != other


def _told(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)

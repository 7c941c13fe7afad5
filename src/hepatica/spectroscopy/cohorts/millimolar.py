"""Millimolar: spectra of a store in the unit in which 1 is 1 mM, by their water."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.cohorts.spectra import SpectraStore
from hepatica.spectroscopy.fitting.water_scaling import Scale, WaterScaling, of_field, water_scale
from hepatica.spectroscopy.networks.network_input import norm

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Millimolar:
    """Windows `values` (n, w) of which a fit gives mM of metabolites, and `noise_sd` (n,) of their real part.

    A lipid's concentration is to be multiplied by `lipids` (n,), because lipids relax otherwise. `scaled` (n,) is false
    where there was no usable water: those spectra have the norm `norm_without_water`, and no unit.
    """

    values: NDArray[np.complex128]
    noise_sd: Floats
    lipids: Floats
    scaled: NDArray[np.bool_]


def millimolar(
    store: SpectraStore, *, norm_without_water: float = 1.0, settings: WaterScaling | None = None
) -> Millimolar:
    """All spectra of a store scaled by their water references, or, without one, to a norm of `norm_without_water`.

    `settings` are by default those of the field.
    """
    settings = settings or of_field(store.acquisition.f0_mhz)[0]
    rows = np.arange(len(store))
    values = np.asarray(store.values(rows))
    scales = [_scale(store, row, settings) for row in rows.tolist()]
    factor = np.array(
        [
            norm_without_water / float(norm(own)) if scale is None else scale.metabolites
            for own, scale in zip(values, scales, strict=True)
        ]
    )
    return Millimolar(
        values=values * factor[:, None],
        noise_sd=store.index["noise_sd"].to_numpy(float) * factor,
        lipids=np.array([1.0 if scale is None else scale.lipids / scale.metabolites for scale in scales]),
        scaled=np.array([scale is not None for scale in scales]),
    )


def _scale(store: SpectraStore, row: int, settings: WaterScaling) -> Scale | None:
    try:
        return water_scale(store.spectrum(row), settings=settings)
    except SpecimenError:
        return None

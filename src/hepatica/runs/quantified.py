"""Quantified: what one file of a 1H-MR spectrum holds, by any method, and what all files have in common for that."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from hepatica.cohort import RunError, SettingsError, SpecimenError
from hepatica.cohort.digests import content_digest
from hepatica.runs.lock import LockedRun, open_run, picture_note
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.basis.basis_file import read_basis
from hepatica.spectroscopy.basis.ppm_reference import align_reference
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.brain_fit import BRAIN_FREEDOM, MOST_LEFT, brain_fit
from hepatica.spectroscopy.fitting.coord_fit import real_part_fit
from hepatica.spectroscopy.fitting.fit_picture import DrawnFit, drawn_fits
from hepatica.spectroscopy.fitting.quantities import Method, Quantities, Unit, quantities_of
from hepatica.spectroscopy.fitting.signal_model import SignalModel
from hepatica.spectroscopy.fitting.water_scaling import WATER_SCALING, of_field, unknown_shares, water_scale
from hepatica.spectroscopy.preprocessing.quality import quality
from hepatica.spectroscopy.priors.priors import Priors, read_priors
from hepatica.spectroscopy.quantify import Quantifier
from hepatica.spectroscopy.reading.coord import read_coord
from hepatica.spectroscopy.reading.read import NO_OVERRIDES, read_spectrum, usable
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.header import Header
from hepatica.spectroscopy.signal.resample import resampled
from hepatica.spectroscopy.signal.spectrum import Spectrum
from hepatica.spectroscopy.signal.targets import BRAIN17, LIPIDS5, LIVER20

RELATIVE: Unit = "institutional units"

LEAST_TCHO_BET_MM, MOST_METABOLITE_MM = 0.1, 100.0
"""Of choline compounds and betaine together, and of any metabolite (ours): beyond, the water was not that voxel's."""

MOST_DOUBTED = 0.5
"""Standard deviation, as a share of a value, up to which it is judged whether it is plausible (ours)."""


_PATHS = ("run", "basis", "priors")


@dataclass(frozen=True, kw_only=True)
class Quantification:
    """How files are quantified.

    `run` is a locked run of bae_2025_qcnn, which qcnn and qcnn+gn need; `basis` a file that replaces the
    simulated liver basis; `brain` takes metabolites of a brain, with LCModel's macromolecules and soft constraints.
    `pdff` is the fat fraction of the voxels, 0 to 1, which replaces water. `header_overrides` corrects or completes the
    files' headers. Raises SettingsError on what does not go together.
    """

    method: Method = "nls"
    run: Path | None = None
    basis: Path | None = None
    priors: Path | None = None
    brain: bool = False
    pdff: float = 0.0
    header_overrides: Header = NO_OVERRIDES

    def __post_init__(self) -> None:
        replace(WATER_SCALING, pdff=self.pdff)  # refuses what is no fraction
        if self.networks != (self.run is not None):
            raise SettingsError(f"{self.method} needs {'a' if self.networks else 'no'} run of bae_2025_qcnn: see --run")
        if self.brain and self.method != "nls":
            raise SettingsError(f"priors and networks exist for livers only, got {self.method} for a brain: use nls")
        if self.basis is not None and self.method != "nls":
            raise SettingsError(
                f"{self.method} has priors in mM, but the scale of a basis file is unknown: leave --basis out, or"
                " use nls"
            )
        if self.priors is not None and self.method == "nls":
            raise SettingsError("nls uses no priors: leave --priors out, or use map, qcnn or qcnn+gn")

    @property
    def networks(self) -> bool:
        """Whether the method needs networks."""
        return self.method in ("qcnn", "qcnn+gn")

    @cached_property
    def own_basis(self) -> Basis | None:
        """The basis of the file, read once; SpecimenError where it cannot be used."""
        return None if self.basis is None else align_reference(read_basis(self.basis))

    @cached_property
    def all_priors(self) -> Priors | None:
        """The priors of the method, read once; SettingsError where they cannot be used."""
        return None if self.method == "nls" else read_priors(self.priors)

    @cached_property
    def locked(self) -> LockedRun | None:
        """The run of the networks, opened once; RunError where it is of another system or was changed."""
        found = None if self.run is None else open_run(self.run)
        if found is not None and found.system.name != "bae_2025_qcnn":
            raise RunError(
                f"got a run of {found.system.name}, wanted one of bae_2025_qcnn: train it, or use nls or map"
            )
        return found

    @property
    def note(self) -> str:
        """The text at the foot of every picture."""
        return "research use only" if self.locked is None else picture_note(self.locked)

    @property
    def seen_files(self) -> frozenset[str]:
        """Digests of the files that the networks were trained on."""
        return frozenset() if self.locked is None else self.locked.seen_files

    def as_plain(self) -> dict[str, Any]:
        """Values that JSON can hold, with whole paths."""
        paths = {name: path and str(path.absolute()) for name, path in vars(self).items() if name in _PATHS}
        return asdict(self) | paths

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Quantification":
        """The inverse of `as_plain`."""
        paths = {name: plain[name] and Path(plain[name]) for name in _PATHS}
        return cls(**{**plain, **paths, "header_overrides": Header(**plain["header_overrides"])})

    @property
    def made_from(self) -> dict[str, Any]:
        """Method, version, digests of model, basis and priors, and what the user gave; raises what reading them does.

        One without a basis file simulates it.
        """
        _ = self.own_basis
        overrides = asdict(self.header_overrides).items()
        return {
            "hepatica": version("hepatica"),
            "method": self.method,
            "organ": "brain" if self.brain else "liver",
            "note": self.note,
            "model": self.locked and self.locked.digest,
            "basis": None if self.basis is None else content_digest(self.basis).hex(),
            "priors": self.all_priors and self.all_priors.digest,
            "pdff": self.pdff,
            "header_overrides": {name: value for name, value in overrides if value is not None},
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """Quantities of one spectrum, what is drawn of its fit, the preprocessed spectrum if it was a decay.

    `about` has its quality and notes, `water_mm` the water that scaled them to mM, None in other units.
    """

    quantities: Quantities
    drawn: DrawnFit
    spectrum: Spectrum | None
    about: dict[str, Any]
    water_mm: float | None = None


@usable("spectrum")
def quantified(path: Path, *, water: Path | None, settings: Quantification) -> Found:
    """What the file of a spectrum holds, with its water reference if there is one.

    Raises HepaticaError on a file that cannot be used.
    """
    return _coord(path, water, settings) if path.suffix.lower() == ".coord" else _file(path, water, settings)


def _file(path: Path, water: Path | None, settings: Quantification) -> Found:
    spectrum = read_spectrum(path, water=water, header_overrides=settings.header_overrides)
    spectrum = _brought(spectrum, settings)
    if settings.brain:
        return _brain(spectrum, settings)
    quantifier = _quantifier(spectrum.acquisition, settings)
    factor, lipids, unit, notes = _scale(spectrum, settings)
    assumed = replace(of_field(spectrum.acquisition.f0_mhz)[0], pdff=settings.pdff)
    unknown = unknown_shares(spectrum.acquisition, water=spectrum.water_acquisition, settings=assumed)
    values = np.asarray(quantifier.model.window(spectrum.values)[None] * factor, complex)
    noise = spectrum.noise_sd * factor
    found = quantifier.quantify(values, method=settings.method, noise_sd=noise, unit=unit)
    drawn = drawn_fits(np.asarray(found.vector), values, model=quantifier.model)[0]
    return Found(
        quantities=_doubted(found.with_lipids(lipids, unknown=unknown).with_sums()),
        drawn=drawn,
        spectrum=spectrum,
        water_mm=assumed.water_mm * (1 - assumed.pdff) if unit == "mM" else None,
        about=_about(spectrum, *notes),
    )


ACQUIRED = ("f0_mhz", "sequence", "te_ms", "tr_ms", "bandwidth_hz", "points")
"""What is said of each spectrum's acquisition, beside its averages."""


def _about(spectrum: Spectrum, *notes: str) -> dict[str, Any]:
    """Quality, acquisition and notes of a spectrum, and further notes."""
    acquired, of_water = spectrum.acquisition, spectrum.water_acquisition or spectrum.acquisition
    own = {name: getattr(acquired, name) for name in ACQUIRED} | {"averages": spectrum.averages}
    own["water_te_ms"] = None if spectrum.water is None else of_water.te_ms
    known = {name: np.nan if value is None else value for name, value in own.items()}
    return {**vars(quality(spectrum)), **known, "notes": "; ".join([*spectrum.notes, *notes])}


def _brain(spectrum: Spectrum, settings: Quantification) -> Found:
    """In institutional units: what is assumed of water is that of a liver."""
    fit, left = brain_fit(spectrum, basis=_basis(spectrum.acquisition, settings, names=BRAIN17))
    found, notes = quantities_of(fit, method="nls", unit=RELATIVE), tuple[str, ...]()
    if left >= MOST_LEFT:
        flag = f"the model does not describe the spectrum: the residual is {left:.1f} times the noise"
        found = replace(found, flags=((*found.flags[0], flag),))
    if fit.model.freedom > BRAIN_FREEDOM:
        notes = (f"the baseline was relaxed to {fit.model.freedom:g} degrees of freedom, from {BRAIN_FREEDOM:g}",)
    values = fit.model.window(spectrum.values)[None]
    drawn = drawn_fits(fit.parameters.vector, values, model=fit.model)[0]
    return Found(quantities=found.with_sums(), drawn=drawn, spectrum=spectrum, about=_about(spectrum, *notes))


def _brought(spectrum: Spectrum, settings: Quantification) -> Spectrum:
    """The spectrum in the acquisition of the basis or networks, if given; else with its frequency rounded to 0.1 MHz,
    so that the files of one scanner share a simulated basis and are quantified alike whatever files are with them.
    """
    if settings.locked is not None:
        return resampled(spectrum, acquisition=settings.locked.settings.model.basis.acquisition)
    if settings.own_basis is not None:
        return _in_basis(spectrum, settings.own_basis.acquisition)
    own = spectrum.acquisition
    return resampled(spectrum, acquisition=replace(own, f0_mhz=round(own.f0_mhz, 1)))


def _in_basis(spectrum: Spectrum, basis: Acquisition) -> Spectrum:
    """The spectrum in the sampling of a basis file, of which neither echo time nor sequence is sure, and no longer than
    it was acquired: zeros would count as data.
    """
    own = spectrum.acquisition
    points = min(basis.points, int(own.points / own.bandwidth_hz * basis.bandwidth_hz))
    wanted = replace(basis, points=points, te_ms=own.te_ms, tm_ms=own.tm_ms, sequence=own.sequence)
    note = f"the basis is from a file: it was not checked that it is {own.sequence} with TE {own.te_ms:g} ms"
    found = resampled(spectrum, acquisition=wanted)
    return replace(found, notes=(*found.notes, note))


def _quantifier(acquisition: Acquisition, settings: Quantification) -> Quantifier:
    if settings.locked is not None:
        network: Any = settings.locked.network
        model, extractor = settings.locked.settings.model, network.extractor
    else:
        model, extractor = _model(_basis(acquisition, settings, names=LIVER20)), None
    priors = None if settings.all_priors is None else settings.all_priors.select(model.names)
    return Quantifier(model=model, priors=priors, network=extractor)


@lru_cache(maxsize=1)
def _model(basis: Basis) -> SignalModel:
    """Kept for the next file, with the grid that fits begin with."""
    return SignalModel(basis=basis)


def _basis(acquisition: Acquisition, settings: Quantification, *, names: tuple[str, ...]) -> Basis:
    if settings.own_basis is not None:
        return _shortened(settings.own_basis, acquisition.points)
    return _simulated(replace(acquisition, tr_ms=None), names)


@lru_cache(maxsize=1)
def _shortened(basis: Basis, points: int) -> Basis:
    return basis.shortened(points)


@lru_cache(maxsize=1)
def _simulated(acquisition: Acquisition, names: tuple[str, ...]) -> Basis:
    """Kept for the next file; the repetition time makes no difference to a basis."""
    return simulate_basis(acquisition, names=names)


def _scale(spectrum: Spectrum, settings: Quantification) -> tuple[float, float, Unit, tuple[str, ...]]:
    """What the spectrum is multiplied by, what lipids are besides, unit and notes. A basis file has its own height."""
    if settings.basis is not None or spectrum.water is None:
        return 1.0, 1.0, RELATIVE, ()
    assumed, notes = of_field(spectrum.acquisition.f0_mhz)
    scale = water_scale(spectrum, settings=replace(assumed, pdff=settings.pdff))
    return scale.metabolites, scale.lipids / scale.metabolites, "mM", notes


def _doubted(found: Quantities) -> Quantities:
    """With a flag where mM are not those of a liver: then the water was of another voxel, gain or scale."""
    if found.unit != "mM":
        return found
    found_here = zip(found.names, found.concentration[0], found.sd[0], strict=True)
    sure = {name: mm for name, mm, sd in found_here if sd < MOST_DOUBTED * mm}
    strange = [name for name, mm in sure.items() if name not in (*LIPIDS5, "Lipids") and mm > MOST_METABOLITE_MM]
    strange += ["tCho+Bet"] if sure.get("tCho+Bet", LEAST_TCHO_BET_MM) < LEAST_TCHO_BET_MM else []
    if not strange:
        return found
    flag = (
        f"not plausible in liver: {', '.join(f'{name} {sure[name]:.2g} mM' for name in strange)}; check the water"
        " reference, and TE and TR of both files"
    )
    return replace(found, flags=((*found.flags[0], flag),))


def _coord(path: Path, water: Path | None, settings: Quantification) -> Found:
    """LCModel's output has the phased real part only."""
    if settings.method != "nls" or settings.brain or settings.basis is not None or water is not None:
        raise SpecimenError(
            "LCModel's output has the phased real part only, which nls fits with lines of lipids and choline: give it"
            " without water, basis and brain, or the file that LCModel read"
        )
    coord = read_coord(path)
    fit = real_part_fit(coord.data, ppm=coord.ppm)
    parts = dict(zip(fit.names, fit.components, strict=True))
    peaks = fit.components.sum(axis=0)
    drawn = DrawnFit(ppm=coord.ppm, data=coord.data, fit=peaks + fit.baseline, baseline=fit.baseline, components=parts)
    notes = "LCModel's output: the phased real part was fitted, with lines of lipids and choline"
    return Found(quantities=fit.quantities, drawn=drawn, spectrum=None, about={"snr": coord.snr, "notes": notes})

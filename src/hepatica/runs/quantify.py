"""Quantify: files of 1H-MR spectra to tables of quantities and pictures of their fits, each by itself."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hepatica.cohort import RunError, SettingsError, SpecimenError
from hepatica.cohort.atomic import replacing
from hepatica.runs.lock import open_run
from hepatica.spectroscopy.basis_file import read_basis
from hepatica.spectroscopy.coord import read_coord
from hepatica.spectroscopy.fit_picture import DrawnFit, draw_fit, drawn_fits
from hepatica.spectroscopy.header import Header
from hepatica.spectroscopy.macromolecules import brain_held, brain_model
from hepatica.spectroscopy.nifti_mrs import write_nifti_mrs
from hepatica.spectroscopy.nls import FREE
from hepatica.spectroscopy.noise import noise_sd
from hepatica.spectroscopy.ppm_reference import align_reference
from hepatica.spectroscopy.priors import read_priors
from hepatica.spectroscopy.quality import quality
from hepatica.spectroscopy.quantify import Quantifier
from hepatica.spectroscopy.quantities import Method, Quantities, Unit
from hepatica.spectroscopy.read import TOLD_NOTHING, read_spectrum
from hepatica.spectroscopy.real_part_fit import real_part_fit
from hepatica.spectroscopy.resample import Difference, resampled
from hepatica.spectroscopy.signal_model import SignalModel
from hepatica.spectroscopy.simulated_basis import simulate_basis
from hepatica.spectroscopy.spectrum import Spectrum
from hepatica.spectroscopy.targets import BRAIN17, LCM5, LIPIDS5, LIVER20
from hepatica.spectroscopy.water_scaling import water_scale

QUANTITIES, SPECTRA = "quantities.csv", "spectra.csv"
"""A row a spectrum and target; a row a spectrum, with its quality, what was done to it, or why it was not used."""


@dataclass(frozen=True, kw_only=True)
class Quantification:
    """How files are quantified.

    `run` is a locked run of bae_2025_qcnn, which qcnn and qcnn+gn want; `basis` a file that takes the place of the
    simulated liver basis; `brain` takes metabolites of a brain, with LCModel's macromolecules and soft constraints.
    `told` is what the user knows better than the files' headers.
    """

    method: Method = "nls"
    run: Path | None = None
    basis: Path | None = None
    priors: Path | None = None
    brain: bool = False
    told: Header = TOLD_NOTHING

    def __post_init__(self) -> None:
        networks = self.method in ("qcnn", "qcnn+gn")
        if networks != (self.run is not None):
            raise SettingsError(f"{self.method} wants {'a' if networks else 'no'} run of bae_2025_qcnn: see --run")
        if self.brain and self.method != "nls":
            raise SettingsError(
                f"there are priors and networks of livers alone, got {self.method} for a brain: use nls"
            )
        if networks and self.basis is not None:
            raise SettingsError("networks have a basis of their own: leave --basis out, or use nls or map")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Found:
    quantities: Quantities
    drawn: DrawnFit
    spectrum: Spectrum | None
    about: dict[str, Any]


def quantify_files(
    paths: Sequence[Path], *, out: Path, settings: Quantification, water: Path | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Quantify each file; the tables of quantities and of spectra, which are also written into `out`.

    Beside them `spectrum_0001_fit.png` and, of what was read as a decay, `spectrum_0001.nii.gz`: the preprocessed
    spectrum with what was done to it in its header. Files are called by their number, never by a name that might
    identify a patient. A file that cannot be used is told and stops nobody; SpecimenError when none can. `water` is the
    water reference of a single file. RunError when `out` holds another quantification, SettingsError on settings that
    do not go together.
    """
    if (out / QUANTITIES).exists():
        raise RunError(f"{out} holds quantities already; choose a new --out folder")
    if water is not None and len(paths) > 1:
        raise SettingsError(f"got one water reference for {len(paths)} files, wanted one file: call once for each")
    quantifier = _quantifier(settings)
    tables, rows = [], []
    for number, path in enumerate(paths, start=1):
        try:
            found = _coord(path) if path.suffix.lower() == ".coord" else _file(path, water, settings, quantifier)
        except SpecimenError as error:
            rows.append({"spectrum": number, "error": str(error)})
            continue
        tables.append(found.quantities.to_table().assign(spectrum=number))
        rows.append({"spectrum": number, **found.about})
        _write(found, out / f"spectrum_{number:04d}", number=number, method=settings.method)
    if not tables:
        raise SpecimenError(f"none of {len(paths)} files gave a spectrum; the first: {rows[0]['error']}")
    found_tables = (pd.concat(tables, ignore_index=True), pd.DataFrame(rows))
    for table, name in zip(found_tables, (QUANTITIES, SPECTRA), strict=True):
        with replacing(out / name) as temporary:
            table.to_csv(temporary, index=False)
    return found_tables


def _quantifier(settings: Quantification) -> Quantifier | None:
    """What is the same for all files; None where the model goes with each file's own acquisition."""
    if settings.run is None:
        return None
    locked = open_run(settings.run)
    if locked.system.name != "bae_2025_qcnn":
        raise RunError(f"got a run of {locked.system.name}, wanted one of bae_2025_qcnn: train it, or use nls or map")
    network: Any = locked.network
    model = locked.settings.model
    priors = read_priors(settings.priors).select(model.names)
    return Quantifier(model=model, priors=priors, network=network.extractor)


def _file(path: Path, water: Path | None, settings: Quantification, shared: Quantifier | None) -> _Found:
    spectrum = read_spectrum(path, water=water, told=settings.told)
    quantifier = shared or _own_quantifier(spectrum, settings)
    acquisition = quantifier.model.basis.acquisition
    allow: tuple[Difference, ...] = (
        () if settings.basis is None else ("te", "sequence")
    )  # a basis file tells neither for sure
    spectrum = resampled(spectrum, acquisition=acquisition, allow=allow)
    factor, lipids, unit = _scale(spectrum, settings)
    values = np.asarray(quantifier.model.window(spectrum.values)[None] * factor, complex)
    noise = None if settings.brain else noise_sd(spectrum.fid, acquisition=spectrum.acquisition) * factor
    found = quantifier.quantify(values, method=settings.method, noise_sd=noise, unit=unit)
    drawn = drawn_fits(np.asarray(found.vector), values, model=quantifier.model)[0]
    about = {"unit": unit, **vars(quality(spectrum)), "notes": "; ".join(spectrum.notes)}
    return _Found(quantities=_of_lipids(found, lipids).with_sums(), drawn=drawn, spectrum=spectrum, about=about)


def _own_quantifier(spectrum: Spectrum, settings: Quantification) -> Quantifier:
    priors = None if settings.method == "nls" else read_priors(settings.priors)
    if settings.basis is None:
        basis = simulate_basis(spectrum.acquisition, names=BRAIN17 if settings.brain else LIVER20)
    else:
        basis = align_reference(read_basis(settings.basis))
    model = brain_model(basis) if settings.brain else SignalModel(basis=basis)
    held = brain_held(f0_mhz=basis.acquisition.f0_mhz) if settings.brain else FREE
    return Quantifier(model=model, held=held, priors=None if priors is None else priors.select(model.names))


def _scale(spectrum: Spectrum, settings: Quantification) -> tuple[float, float, Unit]:
    """What the spectrum is multiplied by, what lipids are besides, and the unit.

    A basis file has a height of its own, and what is assumed of water is that of a liver.
    """
    if spectrum.water is None or settings.basis is not None or settings.brain:
        return 1.0, 1.0, "institutional units"
    scale = water_scale(spectrum)
    return scale.metabolites, scale.lipids / scale.metabolites, "mM"


def _of_lipids(found: Quantities, factor: float) -> Quantities:
    """Lipids relax unlike metabolites, by which the spectrum was scaled."""
    each = np.array([factor if name in (*LIPIDS5, *LCM5) else 1.0 for name in found.names])
    both = np.outer(each, each)
    return replace(
        found, concentration=found.concentration * each, covariance=found.covariance * both, bound=found.bound * both
    )


def _coord(path: Path) -> _Found:
    """LCModel's print has a phased real part alone."""
    coord = read_coord(path)
    fit = real_part_fit(coord.data, ppm=coord.ppm)
    parts = dict(zip(fit.names, fit.components, strict=True))
    peaks = fit.components.sum(axis=0)
    drawn = DrawnFit(ppm=coord.ppm, data=coord.data, fit=peaks + fit.baseline, baseline=fit.baseline, components=parts)
    notes = "LCModel's print: the phased real part alone was fitted, by lines of lipids and choline"
    about = {"unit": "institutional units", "snr": coord.snr, "notes": notes}
    return _Found(quantities=fit.quantities, drawn=drawn, spectrum=None, about=about)


def _write(found: _Found, stem: Path, *, number: int, method: Method) -> None:
    draw_fit(found.drawn, path=stem.with_name(f"{stem.name}_fit.png"), title=f"spectrum {number}: {method}")
    if found.spectrum is not None:
        write_nifti_mrs(
            stem.with_name(f"{stem.name}.nii.gz"),
            fids=found.spectrum.fid,
            acquisition=found.spectrum.acquisition,
            applied=("transients combined, aligned and averaged; water removed", *found.spectrum.notes),
        )

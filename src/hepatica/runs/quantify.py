"""Quantify: files of 1H-MR spectra to tables of quantities and pictures of their fits, each by itself."""

from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from hepatica.cohort import HepaticaError, RunError, SettingsError, SpecimenError
from hepatica.cohort.atomic import replacing, write_json
from hepatica.cohort.digests import content_digest
from hepatica.runs.quantified import Found, Quantification, quantified
from hepatica.spectroscopy.fitting.fit_picture import draw_fit
from hepatica.spectroscopy.reading.nifti_mrs import write_nifti_mrs

QUANTITIES, SPECTRA = "quantities.csv", "spectra.csv"
"""A row a spectrum and target; a row a spectrum, with its quality, what was done to it, or why it was not used."""

MADE_FROM = "made_from.json"
"""Method, version, digests of the spectra, the model, the basis and the priors, and the header overrides."""


def quantify_files(
    paths: Sequence[Path], *, out: Path, settings: Quantification, water: Path | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Quantify each file; the tables of quantities and of spectra, which are also written into `out`.

    Beside them `spectrum_0001_fit.png` and, of what was read as a decay, `spectrum_0001.nii.gz`: the preprocessed
    spectrum with what was done to it in its header. Files are called by their number, never by a name that might
    identify a patient. Files that cannot be used are listed and skipped; SpecimenError when none can. `water` is the
    water reference of a single file. RunError when `out` is not empty or `settings.run` is of another system,
    SettingsError on settings that do not go together.
    """
    if out.exists() and any(out.iterdir()):
        raise RunError(f"{out} is not empty; choose a new --out folder")
    if water is not None and len(paths) > 1:
        raise SettingsError(f"got one water reference for {len(paths)} files, wanted one file: call once for each")
    _ = settings.own_basis, settings.all_priors, settings.locked  # what cannot be used stops before the first file
    out.mkdir(parents=True, exist_ok=True)
    tables, rows = [], []
    for number, path in enumerate(paths, start=1):
        try:
            found = quantified(path, water=water, settings=settings)
        except (HepaticaError, OSError) as error:
            rows.append({"spectrum": number, "error": _message(error)})
            continue
        tables.append(found.quantities.to_table().assign(spectrum=number))
        rows.append({"spectrum": number, **found.about})
        _write(found, out / f"spectrum_{number:04d}", number=number, settings=settings)
    if not tables:
        several = "" if len(paths) == 1 else f"none of {len(paths)} files gave a spectrum; the first: "
        raise SpecimenError(f"{several}{rows[0]['error']}")
    quantities, spectra = pd.concat(tables, ignore_index=True), pd.DataFrame(rows)
    for table, name in ((spectra, SPECTRA), (quantities, QUANTITIES)):
        with replacing(out / name) as temporary:
            table.to_csv(temporary, index=False)
    write_json(out / MADE_FROM, _made_from(paths, settings))
    return quantities, spectra


def _message(error: HepaticaError | OSError) -> str:
    """What an error says, without the file's name, which the system's own errors hold."""
    return f"{error.strerror or type(error).__name__}" if isinstance(error, OSError) else str(error)


def _made_from(paths: Sequence[Path], settings: Quantification) -> dict[str, Any]:
    return {
        "hepatica": version("hepatica"),
        "method": settings.method,
        "organ": "brain" if settings.brain else "liver",
        "note": settings.note,
        "model": settings.locked and settings.locked.digest,
        "basis": None if settings.basis is None else content_digest(settings.basis).hex(),
        "priors": settings.all_priors and settings.all_priors.digest,
        "pdff": settings.pdff,
        "header_overrides": {
            name: value for name, value in asdict(settings.header_overrides).items() if value is not None
        },
        "spectra": [content_digest(path).hex() for path in paths],
    }


def _write(found: Found, stem: Path, *, number: int, settings: Quantification) -> None:
    title = f"spectrum {number}: {settings.method}"
    draw_fit(found.drawn, path=stem.with_name(f"{stem.name}_fit.png"), title=title, note=settings.note)
    if found.spectrum is not None:
        write_nifti_mrs(
            stem.with_name(f"{stem.name}.nii.gz"),
            fids=found.spectrum.fid,
            acquisition=found.spectrum.acquisition,
            applied=("transients combined, aligned and averaged; water removed", *found.spectrum.notes),
        )

"""Arrangement: what was submitted, as `hepatica predict` is given it."""

import csv
import shutil
from collections.abc import Iterable
from pathlib import Path

from hepatica.cohort.atomic import replacing, write_text
from hepatica.cohort.draft.found import ARCHIVES, suffix
from hepatica.cohort.errors import CohortError
from hepatica.cohort.table import OF_TABLES
from hepatica.serve.archive import has_cohort, unpack
from hepatica.serve.catalogue import modality_of

HEAD = 'name = "case"\n'
STUDIES = ("ct", "mr", "ultrasound")


def arranged(inputs: Path, *, run: Path, into: Path) -> list[Path]:
    """The one file that was submitted, or the folder.

    In `into`: a table of patients, for a system that reads one, and spectra with their water references as cohort
    folders; an archive with a cohort folder, or for a system that reads no archives, unpacked.
    """
    files, modality = sorted(inputs.iterdir()), modality_of(run)
    shutil.rmtree(into, ignore_errors=True)
    if len(files) == 1 and suffix(files[0]) in ARCHIVES:
        return [_unpacked(files[0], into, modality=modality)]
    if len(files) == 1 and files[0].suffix.lower() == ".csv" and modality in OF_TABLES:
        return [_of_table(files[0], into)]
    if len(files) > 1 and modality == "spectrum":
        return [_of_spectra(inputs, into)]
    return files if len(files) == 1 else [inputs]


def _unpacked(archive: Path, into: Path, *, modality: str) -> Path:
    """The cohort folder in it, where there is one; itself, where its reader takes archives; else what is in it."""
    if suffix(archive) != ".zip":
        return archive
    if modality in STUDIES and not has_cohort(archive):
        return archive
    unpack(archive, into)
    heads = sorted(into.rglob("cohort.toml"), key=lambda each: len(each.parts))
    if heads:
        _refuse_urls(heads[0].parent)
        return heads[0].parent
    return _of_spectra(into, into / "cohort") if modality == "spectrum" else into


def _refuse_urls(cohort: Path) -> None:
    """The workbench asks no other server on behalf of whoever sent a cohort in, with what it may read itself."""
    for table in cohort.rglob("*.csv"):
        if b"://" in table.read_bytes().replace(b"\0", b""):  # in any encoding
            raise CohortError("a table of the cohort that was submitted has a URL; send the files themselves")


def _of_table(table: Path, into: Path) -> Path:
    into.mkdir(parents=True)
    write_text(into / "cohort.toml", HEAD)
    shutil.copyfile(table, into / "patients.csv")
    return into


def _of_spectra(folder: Path, into: Path) -> Path:
    """Each spectrum a patient, with its water reference where the names of the files say which."""
    from hepatica.spectroscopy.reading.pairs import pairs_of

    own = folder if any(each.is_file() for each in folder.iterdir()) else next(folder.iterdir(), folder)
    into.mkdir(parents=True, exist_ok=True)
    pairs = pairs_of(own)
    write_text(into / "cohort.toml", HEAD + 'specimen_root = "files"\n')
    (into / "files").symlink_to(own.resolve(), target_is_directory=True)
    names = [f"file {place}" for place in range(1, len(pairs) + 1)]
    _write(into / "patients.csv", [["patient_id"], *([each] for each in names)])
    rows = [
        [name, name, "spectrum", spectrum.name, water.name if water else ""]
        for name, (spectrum, water) in zip(names, pairs.items(), strict=True)
    ]
    _write(into / "specimens.csv", [["patient_id", "specimen_id", "modality", "path", "water"], *rows])
    return into


def _write(path: Path, rows: Iterable[list[str]]) -> None:
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)

"""Arrangement: what was submitted, as `hepatica predict` is given it."""

import shutil
from pathlib import Path

from hepatica.cohort.atomic import write_text
from hepatica.cohort.table import OF_TABLES
from hepatica.serve.catalogue import modality_of

HEAD = 'name = "case"\n'


def arranged(inputs: Path, *, run: Path, into: Path) -> list[Path]:
    """The one file that was submitted, or the folder; a table of patients, for a system that reads one, as a cohort
    folder in `into`.
    """
    files = sorted(inputs.iterdir())
    if len(files) > 1 or files[0].suffix.lower() != ".csv" or modality_of(run) not in OF_TABLES:
        return files if len(files) == 1 else [inputs]
    into.mkdir(parents=True, exist_ok=True)
    write_text(into / "cohort.toml", HEAD)
    shutil.copyfile(files[0], into / "patients.csv")
    return [into]

"""Readings: the readers.csv of a cohort folder, which must be usable before hours of training."""

from pathlib import Path

from hepatica.cohort import EvaluationError
from hepatica.evaluate import read_readers
from hepatica.report.chapters.readers import ARMS
from hepatica.runs.results import READERS


def check_readings(folder: Path) -> None:
    """EvaluationError where a cohort folder has readings that cannot be used: see `read_readers`; arms are ARMS."""
    if not (folder / READERS).is_file():
        return
    table = read_readers(folder / READERS, case="case", reader="reader", truth="truth", call="call", arm="arm")
    others = sorted(table.arms.keys() - set(ARMS))
    if others:
        raise EvaluationError(
            f"{READERS} of {folder}: got the arm {', '.join(others)}, wanted {' or '.join(ARMS)}; correct the column"
            " arm"
        )

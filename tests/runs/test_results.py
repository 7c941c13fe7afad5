"""Results: the readings of a cohort lie beside what a model gave for it."""

from pathlib import Path
from types import SimpleNamespace

from hepatica.runs.folder import READERS
from hepatica.runs.results import _copy_readers


def test_corrected_readings_are_taken(tmp_path: Path) -> None:
    cohort, out = SimpleNamespace(folder=tmp_path / "cohort"), tmp_path / "out"
    cohort.folder.mkdir()
    _copy_readers(cohort, out)
    assert not out.exists()
    for text in ("first", "other"):
        (cohort.folder / READERS).write_text(text)
        _copy_readers(cohort, out)
        assert (out / READERS).read_text() == text


def test_bare_files_have_no_readings(tmp_path: Path) -> None:
    _copy_readers(SimpleNamespace(folder=None), tmp_path)
    assert list(tmp_path.iterdir()) == []

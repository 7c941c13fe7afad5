import shutil
from pathlib import Path

import pytest

import hepatica.studies.wang_2021.chapters
from hepatica.cohort import RunError
from hepatica.report.page.gallery import Gallery
from hepatica.studies.wang_2021.chapters import write_study_report

TITLES = (
    "Performance on test sets",
    "Curves, and readers beside them",
    "NoduleNet on single images",
    "Risk score and pathology",
    "Model against readers",
    "Readers with and without the model",
    "What NoduleNet looks at",
    "Readings of the risk score",
)


@pytest.fixture
def folder(studied_folder: Path, tmp_path: Path) -> Path:
    copied = tmp_path / "study"
    shutil.copytree(studied_folder, copied)
    return copied


def test_the_report_has_every_chapter_and_names_no_patient(
    folder: Path, monkeypatch: pytest.MonkeyPatch, sketches: None
) -> None:
    monkeypatch.setattr(hepatica.studies.wang_2021.chapters, "Gallery", hepatica.report.Gallery)
    text = write_study_report(folder).read_text(encoding="utf-8")
    places = [text.find(title) for title in TITLES]
    assert all(place > 0 for place in places)
    assert places == sorted(places)
    assert "SECRET" not in text
    assert not any(b"SECRET" in path.read_bytes() for path in (folder / "tables").iterdir())
    assert (folder / "card.md").is_file()
    assert (folder / "tables" / "pathology_3.csv").is_file()


def test_figures_of_phantoms_are_marked(folder: Path) -> None:
    run = hepatica.studies.wang_2021.chapters.read_run(folder, external=[])
    gallery = Gallery(folder / "figures", phantom=run.phantom)
    hepatica.studies.wang_2021.chapters.with_help.section(run, gallery)
    assert "PHANTOM: synthetic patients" in (folder / "figures" / "help_internal.svg").read_text(encoding="utf-8")


def test_a_study_that_did_not_come_to_its_end_is_refused(folder: Path) -> None:
    (folder / "metrics.json").unlink()
    with pytest.raises(RunError, match=r"lacks metrics\.json"):
        write_study_report(folder)

import shutil
from pathlib import Path

import pytest

from hepatica.cohort import RunError
from hepatica.report.chapters import readers
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import read_run
from hepatica.studies import write_study_report

TITLES = (
    "Beside the paper's numbers".replace("'", "&#39;"),
    "NoduleNet on single images",
    "HCC risk score by covariate",
    "Readers and model",
    "Where the score comes from",
    "Readings of the risk score",
)


@pytest.fixture
def folder(studied_folder: Path, tmp_path: Path) -> Path:
    copied = tmp_path / "study"
    shutil.copytree(studied_folder, copied)
    return copied


def test_the_report_has_every_chapter_and_names_no_patient(folder: Path, sketches: None) -> None:
    text = write_study_report("wang_2021_hccnet", folder).read_text(encoding="utf-8")
    places = [text.find(title) for title in TITLES]
    assert all(place > 0 for place in places)
    assert places == sorted(places)
    assert "SECRET" not in text
    assert not any(b"SECRET" in path.read_bytes() for path in (folder / "tables").iterdir())
    assert (folder / "card.md").is_file()
    assert (folder / "tables" / "covariates_3.csv").is_file()


def test_figures_of_phantoms_are_marked(folder: Path) -> None:
    run = read_run(folder, external=[])
    gallery = Gallery(folder / "figures", phantom=run.phantom)
    readers.section(run, gallery)
    assert "PHANTOM: synthetic patients" in (folder / "figures" / "roc_aided_internal.svg").read_text(encoding="utf-8")


def test_a_study_that_did_not_come_to_its_end_is_refused(folder: Path) -> None:
    (folder / "metrics.json").unlink()
    with pytest.raises(RunError, match=r"lacks metrics\.json"):
        write_study_report("wang_2021_hccnet", folder)

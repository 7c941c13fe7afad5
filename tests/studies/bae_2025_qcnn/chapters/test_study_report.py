import csv
import shutil
from pathlib import Path

import pandas as pd
import pytest

from hepatica.cohort import RunError
from hepatica.report.chapters.quantification import robustness
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import read_run
from hepatica.studies import write_study_report
from hepatica.studies.bae_2025_qcnn.chapters import COMPARED

TITLES = (
    "Errors of quantities",
    "Errors against what is possible, and stated uncertainty",
    "Robustness",
    "Classification of few patients",
    "Spectra, fits, and what the network looks at",
    "Discrimination",
)


def test_the_report_has_every_chapter_and_names_no_patient(folder: Path, sketches: None) -> None:
    text = write_study_report("bae_2025_qcnn", folder).read_text(encoding="utf-8")
    places = [text.find(f"{title}</a>") for title in TITLES]
    assert all(place > 0 for place in places)
    assert places == sorted(places)
    assert "External: phantom_B" in text
    assert 'alt="Phantom. MAP fit' in text
    known = pd.read_parquet(folder / "patients.parquet").index
    written = [text, *(path.read_text(encoding="utf-8") for path in (folder / "tables").iterdir())]
    assert not any(str(patient) in each for patient in known for each in written)
    assert (folder / "card.md").is_file()
    for name in ("errors_2", "errors_7", "bounds_1", "robustness_1", "classification_1"):
        _, header, *rows = csv.reader((folder / "tables" / f"{name}.csv").read_text(encoding="utf-8").splitlines())
        assert {len(row) for row in rows} == {len(header)}
        assert not any("nan" in cell for row in rows for cell in row)


def test_figures_of_phantoms_are_marked(folder: Path) -> None:
    run = read_run(folder, external=[])
    gallery = Gallery(folder / "figures", phantom=run.phantom)
    robustness.section(run, gallery, compared=COMPARED)
    for number in range(5):
        drawn = (folder / "figures" / f"robustness_{number}.svg").read_text(encoding="utf-8")
        assert "PHANTOM: synthetic patients" in drawn


def test_a_study_that_did_not_come_to_its_end_is_refused(folder: Path) -> None:
    (folder / "metrics.json").unlink()
    with pytest.raises(RunError, match=r"lacks metrics\.json"):
        write_study_report("bae_2025_qcnn", folder)


def test_a_study_whose_quantifier_was_taken_away_is_refused(folder: Path, sketches: None) -> None:
    shutil.rmtree(folder / "quantifier")
    with pytest.raises(RunError, match="not a run folder"):
        write_study_report("bae_2025_qcnn", folder)

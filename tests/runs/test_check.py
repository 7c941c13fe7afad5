"""Check: all faults at once, exit code 2, and what a look at specimens shows."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from hepatica.cli import app
from hepatica.cohort.specimens import Specimen
from hepatica.pathology import inspection
from hepatica.pathology.phantom import PhantomSettings, phantom_slides
from hepatica.runs.check import check


def test_every_fault_is_listed_and_the_exit_code_is_2(write_cohort: Callable[..., Path], tmp_path: Path) -> None:
    rows = "".join(f"Q{k},{k},2{k},1,0,1,none\n" for k in range(30))
    header = (
        "patient_id,recurrence_months,recurrence_event,overall_survival_months,overall_survival_event,afp,treatment"
    )
    folder = write_cohort(tmp_path / "c", patients=f"{header}\n{rows}")
    faults = check(folder).faults
    assert len([each for each in faults if "recurrence_event" in each]) == 1  # one message, all of its rows
    slips = ("Slide", "SLIDE", "slides", "slidee", "sllide", "slid e", "s-lide")
    specimens = "".join(f"P1,S{k},{name},slides/{k}.svs\n" for k, name in enumerate(slips, start=1))
    other = write_cohort(tmp_path / "d", specimens=f"patient_id,specimen_id,modality,path\n{specimens}")
    assert sum("did you mean slide" in each for each in check(other).faults) == len(slips)  # a message caps at five
    done = CliRunner().invoke(app, ["check", str(folder)])
    assert done.exit_code == 2
    assert max(map(len, done.output.splitlines())) <= 80 + len(str(tmp_path))
    assert "recurrence_event" in (folder / "check.html").read_text()


def test_damaged_slides_and_one_file_of_two_patients_are_faults(
    write_cohort: Callable[..., Path], tmp_path: Path
) -> None:
    folder = write_cohort(tmp_path / "c")  # its slides are empty files
    found = check(folder, specimens=2)
    assert found.cohort is not None
    assert len([each for each in found.faults if "is empty" in each]) == 2
    assert "specimens.csv row 4: the same file as in row 2, of another patient" in found.faults
    assert found.missing == {"afp_ng_ml": 1}
    assert found.systems["li_2025_cnn_sasm"] == 5  # one has sorafenib
    assert "malignant" in found.lacking["chen_2020"]
    assert "tumour_size_cm" in found.lacking["nam_2020_moral_ai"]  # a column of the table it reads
    assert found.endpoints["recurrence"].startswith("3 events, median follow-up 17.5 months")


def test_tissue_is_outlined_and_little_of_it_pointed_out(tmp_path: Path) -> None:
    cohort = phantom_slides(tmp_path, patients=1, seed=0, hospital="A", settings=PhantomSettings(side=512))
    slide = sorted((cohort / "slides").glob("*.tif"))[0]
    seen = inspection.inspect(Specimen(patient_id="P", specimen_id="S", modality="slide", path=slide, row=2))
    assert seen.picture is not None
    assert (seen.picture == np.array(inspection.EDGES[0])).all(axis=-1).any()
    assert seen.doubts == ("less than 1 mm2 of tissue",)  # at 1 um per pixel nuclei are no folds

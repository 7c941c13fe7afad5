from pathlib import Path

import numpy as np
import pandas as pd

from hepatica.report.page.results import Run, read_run
from hepatica.studies.wang_2021.chapters.found import by_phase, hits, images, read_by, reader_table, readings

OUTCOMES = pd.DataFrame(
    {"label": [1.0, 0.0, 1.0, np.nan], "score": [0.9, 0.2, 0.4, 0.5], "group": ["high", "low", "low", "high"]},
    index=["P1", "P2", "P3", "P4"],
)


def said(case: str, reader: str, call: int, *, arm: str = "unaided") -> dict[str, object]:
    return {"case": case, "reader": reader, "arm": arm, "truth": 1, "call": str(call), "score": 50.0}


def test_the_model_reads_what_every_reader_read() -> None:
    rows = [said(case, reader, call) for case, call in (("P1", 1), ("P2", 1), ("P9", 0)) for reader in ("A", "B")]
    table = reader_table(
        pd.DataFrame([*rows, said("P3", "A", 1), said("P4", "A", 1), said("P4", "B", 1)]), outcomes=OUTCOMES
    )
    assert table is not None
    assert table.machine is not None
    assert (table.readers, table.truth.tolist()) == (("A", "B"), ["1", "0"])  # P3 one reader left out, P4 is unknown
    assert table.machine.calls.tolist() == [["1", "0"]]
    assert table.machine.scores is not None
    assert table.machine.scores.tolist() == [[0.9, 0.2]]
    assert table.arms["unaided"].calls.tolist() == [["1", "1"]] * 2


def test_unaided_readings_come_first_wherever_they_stand() -> None:
    rows = [said(case, "A", int(arm == "aided"), arm=arm) for arm in ("aided", "unaided") for case in ("P1", "P2")]
    table = reader_table(pd.DataFrame(rows), outcomes=OUTCOMES)
    assert table is not None
    assert {name: reading.calls.tolist() for name, reading in table.arms.items()} == {
        "unaided": [["0", "0"]],
        "aided": [["1", "1"]],
    }
    assert list(table.arms) == ["unaided", "aided"]


def test_whatever_is_called_other_than_hcc_is_no_hcc() -> None:
    rows = [said("P1", "A", 1), said("P2", "A", 0) | {"call": "cyst"}]
    table = reader_table(pd.DataFrame(rows), outcomes=OUTCOMES)
    assert table is not None
    assert table.arms["unaided"].calls.tolist() == [["1", "0"]]


def test_patients_of_one_kind_are_no_reader_study() -> None:
    assert reader_table(pd.DataFrame([said("P1", "A", 1)]), outcomes=OUTCOMES) is None
    assert reader_table(None, outcomes=OUTCOMES) is None


def test_phases_stand_in_the_order_of_an_examination() -> None:
    table = pd.DataFrame({"phase": ["unknown", "delayed", "plain", "delayed"], "n": range(4)})
    assert [(name, rows["n"].tolist()) for name, rows in by_phase(table)] == [
        ("plain", [2]),
        ("delayed", [1, 3]),
        ("unknown", [0]),
    ]


def test_only_reported_patients_are_read(study: Run) -> None:
    table = read_by(study.internal, study.targets[0])
    known = study.internal.outcomes(study.targets[0]).dropna(subset=["label"])
    everybody = readings(study.internal)
    assert everybody is not None
    assert table is not None
    assert len(table.truth) == len(known) < everybody["case"].nunique()
    assert list(table.arms) == ["unaided", "aided"]


def test_images_and_hits_are_of_reported_patients(study: Run) -> None:
    reported = set(study.internal.outcomes(study.targets[0]).index)
    assert set(images(study.internal)["patient_id"]) == reported
    found = hits(study.internal)
    assert found is not None
    assert set(found["patient_id"]) <= reported


def test_what_a_cohort_lacks_is_none(diagnosed: Path) -> None:
    results = read_run(diagnosed, external=[]).internal
    assert (hits(results), readings(results)) == (None, None)

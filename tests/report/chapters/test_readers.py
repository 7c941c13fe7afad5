"""Readers: who is counted, what is tested, and that printed counts give the printed numbers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure as Drawing

from hepatica.evaluate import Comparison, Estimate, ReaderTable, study_readers
from hepatica.report.chapters import readers
from hepatica.report.chapters.readers import against, aided, read_by, reader_table, section
from hepatica.report.page.blocks import Figure, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run, read_run
from hepatica.report.page.wording import METRICS, NONE, difference, p_value
from hepatica.studies.wang_2021_hccnet.chapters.printed import READERS

Sketch = Callable[[Path], Gallery]

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


def test_unaided_readings_come_first_in_any_order_of_rows() -> None:
    rows = [said(case, "A", int(arm == "aided"), arm=arm) for arm in ("aided", "unaided") for case in ("P1", "P2")]
    table = reader_table(pd.DataFrame(rows), outcomes=OUTCOMES)
    assert table is not None
    assert {name: reading.calls.tolist() for name, reading in table.arms.items()} == {
        "unaided": [["0", "0"]],
        "aided": [["1", "1"]],
    }
    assert list(table.arms) == ["unaided", "aided"]


def test_whatever_is_called_otherwise_is_not_the_disease() -> None:
    rows = [said("P1", "A", 1), said("P2", "A", 0) | {"call": "cyst"}]
    table = reader_table(pd.DataFrame(rows), outcomes=OUTCOMES)
    assert table is not None
    assert table.arms["unaided"].calls.tolist() == [["1", "0"]]


def test_what_the_model_showed_separates_the_readings(study: Run) -> None:
    rows = [
        said(case, reader, 1, arm=arm) | {"advice": "1" if arm == "aided" else None}
        for case in ("P1", "P2", "P3")
        for reader in ("A", "B")
        for arm in ("unaided", "aided")
    ]
    table = reader_table(pd.DataFrame(rows).drop(columns="score"), outcomes=OUTCOMES)
    assert table is not None
    *_, shown = aided(table, study.internal, paper={})
    assert isinstance(shown, Table)
    # P1 and P3 have the disease, so that "1" was right there and wrong of P2, one case of whom no interval comes
    assert [list(row)[:4] for row in shown.rows] == [
        ["Model right", "4", "1.000", "1.000"],
        ["Model wrong", "2", NONE, NONE],
    ]


def test_patients_of_one_kind_are_no_reader_study() -> None:
    assert reader_table(pd.DataFrame([said("P1", "A", 1)]), outcomes=OUTCOMES) is None


def test_only_reported_patients_are_read(study: Run) -> None:
    table = read_by(study.internal, study.targets[0])
    known = study.internal.outcomes(study.targets[0]).dropna(subset=["label"])
    everybody = pd.read_csv(study.folder / "readers.csv", dtype={"case": str})
    assert table is not None
    assert len(table.truth) == len(known) < everybody["case"].nunique()
    assert list(table.arms) == ["unaided", "aided"]


@pytest.mark.parametrize(
    ("place", "accuracy", "t", "papers"), [(0, "0.853", "0.11", "0.11"), (1, "0.805", "0.67", "0.66")]
)
def test_the_papers_counts_give_its_rates_and_its_p(
    study: Run, printed: Callable[[str], ReaderTable], place: int, accuracy: str, t: str, papers: str
) -> None:
    table = printed(("internal", "external")[place])
    rates, mcnemar, agreement = against(table, study.internal, disease="HCC", paper=READERS.against[place])
    assert isinstance(rates, Table)
    rows = {row[0]: list(row) for row in rates.rows}
    assert rates.header[5:7] == ["AI", "Readers minus model"]
    assert rows["Accuracy"][5].startswith(accuracy)
    assert rows["Accuracy"][-2:] == [t, papers]
    assert rows["Cohen's kappa"][-1] == "\N{EN DASH}"  # the paper tests no kappa
    assert "AUROC" not in rows  # readers without scores have none
    assert isinstance(mcnemar, Table)
    assert [row[0] for row in mcnemar.rows] == ["R1", "R2", "R3"]
    assert isinstance(agreement, Text)
    assert "all readers agree on" in agreement.text


def test_p_over_readers_and_cases_is_that_of_evaluate(study: Run, printed: Callable[[str], ReaderTable]) -> None:
    table = printed("external")
    rates = against(table, study.internal, disease="HCC", paper=READERS.against[1])[0]
    assert isinstance(rates, Table)
    rows = {row[0]: list(row) for row in rates.rows}
    versus = study_readers(table).arms["unaided"].against_machine
    assert versus is not None
    assert rows["Specificity"][-3] == p_value(versus.over_readers_and_cases["specificity"].p)
    assert rows["Specificity"][-2:] == ["0.039", "0.039"]  # from the counts, and as the paper prints it


def test_within_a_margin_the_model_is_not_inferior(study: Run, printed: Callable[[str], ReaderTable]) -> None:
    table = printed("external")
    versus = study_readers(table).arms["unaided"].against_machine
    assert versus is not None
    limits = {METRICS[name]: found.difference.high for name, found in versus.over_readers_and_cases.items()}
    for margin in (-1.0, float(np.median(list(limits.values()))), 1.01):
        [told] = [
            block.text
            for block in against(table, study.internal, disease="HCC", paper={}, margin=margin)
            if isinstance(block, Text) and block.text.startswith("Margin")
        ]
        shown, _, not_shown = told.partition("Not shown for")
        assert all((name in shown) == (high < margin) for name, high in limits.items())
        assert all((name in not_shown) == (high >= margin) for name, high in limits.items())


@pytest.mark.parametrize(("place", "t", "papers"), [(0, "0.026", "0.026"), (1, "0.013", "0.017")])
def test_the_papers_counts_give_its_p_of_aided_readers(
    study: Run, printed: Callable[[str], ReaderTable], place: int, t: str, papers: str
) -> None:
    rates, mcnemar = aided(printed(("internal", "external")[place]), study.internal, paper=READERS.aided[place])
    assert isinstance(rates, Table)
    assert isinstance(mcnemar, Table)
    rows = {row[0]: list(row) for row in rates.rows}
    assert rows["Accuracy"][-2:] == [t, papers]
    assert rates.header[4:7] == ["Mean before", "Mean aided", "Aided minus before"]
    assert len(rates.header) == len(rows["Accuracy"])


def test_without_a_paper_there_is_no_column_of_it(study: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    made = section(study, sketchbook(tmp_path))
    assert not isinstance(made, str)
    tables = [block for block in made.blocks if isinstance(block, Table)]
    assert not any("Paper's P" in table.header for table in tables)
    assert all(len(row) == len(table.header) for table in tables for row in table.rows)


def test_points_are_the_rates_of_each_reader(printed: Callable[[str], ReaderTable]) -> None:
    figure = Drawing()
    readers.paint_aided(figure, table=printed("internal"), title="")
    arrows = [(each.xyann, each.xy) for each in figure.axes[0].texts if hasattr(each, "xyann")]
    np.testing.assert_allclose(arrows[0], [(3 / 41, 39 / 54), (3 / 41, 44 / 54)])
    assert len(arrows) == 3


def test_the_red_star_is_the_mean_of_the_grey_ones(study: Run) -> None:
    table, figure = read_by(study.internal, study.targets[0]), Drawing()
    assert table is not None
    readers.paint_read(figure, table=table, title="")
    lines = {str(line.get_label()): line.get_xydata() for line in figure.axes[0].get_lines()}
    np.testing.assert_allclose(lines["mean of readers"][0], lines["readers"].mean(axis=0))
    assert len(lines["readers"]) == 3


def test_a_run_without_readers_has_no_chapter_of_them(diagnosed: Path, tmp_path: Path, sketchbook: Sketch) -> None:
    told = section(read_run(diagnosed, external=[]), sketchbook(tmp_path))
    assert isinstance(told, str)
    assert "readers.csv" in told


def test_one_arm_is_not_compared_with_itself(
    study: Run,
    tmp_path: Path,
    sketchbook: Sketch,
    monkeypatch: pytest.MonkeyPatch,
    printed: Callable[[str], ReaderTable],
) -> None:
    once = replace(printed("internal"), arms={"unaided": printed("internal").arms["unaided"]})
    monkeypatch.setattr(readers, "read_by", lambda results, target: once)
    made = section(study, sketchbook(tmp_path))
    assert not isinstance(made, str)
    assert len([block for block in made.blocks if isinstance(block, Figure)]) == 1


SURE = Estimate(value=0.05, low=-0.01, high=0.11, n=9, method="")
NOTHING = Estimate(value=np.nan, low=None, high=None, n=9, method="")


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Comparison(difference=SURE, p=0.1), "+0.050 (-0.010 to +0.110)"),
        (Comparison(difference=replace(SURE, low=None), p=0.1), "+0.050"),
        (Comparison(difference=NOTHING, p=np.nan), "\N{EN DASH}"),
        (None, "\N{EN DASH}"),
    ],
)
def test_a_difference_has_its_sign(found: Comparison | None, told: str) -> None:
    assert difference(found).replace("\N{NO-BREAK SPACE}", " ") == told

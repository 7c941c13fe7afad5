from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure as Drawing

from hepatica.evaluate import ReaderTable
from hepatica.report.page.blocks import Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run, read_run
from hepatica.studies.wang_2021.chapters.with_help import helped, paint, section

Sketch = Callable[[Path], Gallery]


@pytest.mark.parametrize(("where", "t", "papers"), [("internal", "0.026", "0.026"), ("external", "0.013", "0.017")])
def test_the_papers_counts_give_its_p(
    study: Run, printed: Callable[[str], ReaderTable], where: str, t: str, papers: str
) -> None:
    rates, mcnemar = helped(printed(where), study.internal, where=where)
    assert isinstance(rates, Table)
    assert isinstance(mcnemar, Table)
    rows = {row[0]: list(row) for row in rates.rows}
    assert rows["Accuracy"][-2:] == [t, papers]
    assert rates.header[4:7] == ["Mean before", "Mean aided", "Aided minus before"]
    assert len(rates.header) == len(rows["Accuracy"])


def test_arrows_lead_from_without_to_with_help(printed: Callable[[str], ReaderTable]) -> None:
    figure = Drawing()
    paint(figure, table=printed("internal"), title="")
    arrows = [(each.xyann, each.xy) for each in figure.axes[0].texts if hasattr(each, "xyann")]
    np.testing.assert_allclose(arrows[0], [(3 / 41, 39 / 54), (3 / 41, 44 / 54)])
    assert len(arrows) == 3


def test_readers_who_read_once_are_told(diagnosed: Path, tmp_path: Path, sketchbook: Sketch) -> None:
    [told] = section(read_run(diagnosed, external=[]), sketchbook(tmp_path)).blocks
    assert isinstance(told, Text)
    assert "both without and with the model's help" in told.text


def test_every_cohort_has_its_tables(study: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    tables = [block for block in section(study, sketchbook(tmp_path)).blocks if isinstance(block, Table)]
    assert [table.caption.rsplit(". ", 1)[-1].split(",")[0].rstrip(".") for table in tables] == [
        *["Internal test: Hospital A"] * 2,
        *["External: Hospital B"] * 2,
    ]


def test_one_arm_is_no_comparison(study: Run, tmp_path: Path, sketchbook: Sketch, monkeypatch: pytest.MonkeyPatch,
                                  printed: Callable[[str], ReaderTable]) -> None:  # fmt: skip
    table = printed("internal")
    once = replace(table, arms={"unaided": table.arms["unaided"]})
    monkeypatch.setattr("hepatica.studies.wang_2021.chapters.with_help.read_by", lambda results, target: once)
    [told] = section(study, sketchbook(tmp_path)).blocks
    assert isinstance(told, Text)

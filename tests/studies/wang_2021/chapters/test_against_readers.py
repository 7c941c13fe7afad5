from collections.abc import Callable
from pathlib import Path

import pytest

from hepatica.evaluate import ReaderTable, study_readers
from hepatica.report.page.blocks import Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run, read_run
from hepatica.report.page.wording import p_value
from hepatica.studies.wang_2021.chapters.against_readers import against, section

Sketch = Callable[[Path], Gallery]


@pytest.mark.parametrize(
    ("where", "accuracy", "t", "papers"), [("internal", "0.853", "0.11", "0.11"), ("external", "0.805", "0.67", "0.66")]
)
def test_the_papers_counts_give_its_rates_and_its_p(
    study: Run, printed: Callable[[str], ReaderTable], where: str, accuracy: str, t: str, papers: str
) -> None:
    table = against(printed(where), study.internal, where=where)[0]
    assert isinstance(table, Table)
    rows = {row[0]: list(row) for row in table.rows}
    assert table.header[5:7] == ["AI", "Readers minus model"]
    assert rows["Accuracy"][5].startswith(accuracy)
    assert rows["Accuracy"][-2:] == [t, papers]
    assert rows["Cohen's kappa"][-1] == "\N{EN DASH}"  # the paper tests no kappa
    assert "AUROC" not in rows  # readers without scores have none


def test_mcnemar_and_agreement_stand_below(study: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    caution, rates, mcnemar, agreement, *_ = section(study, sketchbook(tmp_path)).blocks
    assert isinstance(caution, Text)
    assert isinstance(rates, Table)
    assert isinstance(mcnemar, Table)
    assert isinstance(agreement, Text)
    assert [row[0] for row in mcnemar.rows] == ["R1", "R2", "R3"]
    assert "all readers agree on" in agreement.text


def test_p_over_readers_and_cases_is_that_of_evaluate(study: Run, printed: Callable[[str], ReaderTable]) -> None:
    table = printed("external")
    rows = {row[0]: list(row) for row in against(table, study.internal, where="external")[0].rows}  # type: ignore[union-attr]
    versus = study_readers(table).arms["unaided"].against_machine
    assert versus is not None
    assert rows["Specificity"][-3] == p_value(versus.over_readers_and_cases["specificity"].p)
    assert rows["Specificity"][-2:] == ["0.039", "0.039"]  # from the counts, and as the paper prints it


def test_a_cohort_nobody_read_is_told(diagnosed: Path, tmp_path: Path, sketchbook: Sketch) -> None:
    _, told = section(read_run(diagnosed, external=[]), sketchbook(tmp_path)).blocks
    assert isinstance(told, Text)
    assert "nobody read patients of both kinds" in told.text

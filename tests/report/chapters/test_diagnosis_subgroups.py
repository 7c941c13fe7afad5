from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from hepatica.report.chapters.diagnosis_subgroups import MOST_LEVELS, parts, section, subgroups
from hepatica.report.page.blocks import Figure, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run, read_run
from hepatica.report.page.wording import p_value

Sketch = Callable[[Path], Gallery]


@pytest.fixture
def run(diagnosed: Path) -> Run:
    return read_run(diagnosed, external=[])


def test_small_and_large_are_parted_at_5_cm() -> None:
    split = parts(pd.Series([5.0, 5.1, None, 1.0], name="tumour_size_cm"))
    assert {name: members.tolist() for name, members in split.items()} == {
        "≤ 5": [True, False, False, True],
        "> 5": [False, True, False, False],
    }


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([1.0, 0.0, 1.0], ["no", "yes"]),
        (["cyst", "hcc", None], ["HCC", "cyst"]),
        ([1.0, 1.0, 1.0], []),
        ([1.5, 2.5, 3.5, 4.5, 5.5, 6.5], []),
        ([f"kind {n}" for n in range(MOST_LEVELS + 1)], []),
        ([None, None], []),
    ],
)
def test_what_a_covariate_parts(values: list[object], names: list[str]) -> None:
    assert sorted(parts(pd.Series(values, name="x"))) == names


def test_each_kind_of_other_lesion_has_its_specificity(run: Run) -> None:
    found = {each.name: each for each in subgroups(run.internal, run.targets[0]) if each.of == "kind"}
    known = run.internal.outcomes(run.targets[0]).dropna(subset=["label"])
    cyst = run.internal.patients.loc[known.index, "kind"] == "cyst"
    sensitivity, specificity = found["cyst"].rates
    assert specificity.value == (known.loc[cyst, "group"] == "low").mean()
    assert specificity.n == cyst.sum()
    assert sensitivity.n == 0
    assert found["cyst"].auroc is None
    assert found["HCC"].rates[0].n == (known["label"] == 1).sum()


def test_rates_are_those_at_the_locked_cutoff(run: Run) -> None:
    target = run.targets[0]
    every = [each for each in subgroups(run.internal, target) if each.of == "sex"]
    tp, fn = (sum(getattr(each.calls, cell) for each in every) for cell in ("tp", "fn"))
    row = run.internal.metric("sensitivity", target, cutoff=run.cutoffs[target.key])
    assert tp / (tp + fn) == pytest.approx(row["value"])


def test_the_table_tests_sensitivity_among_the_ill_and_specificity_among_the_others(
    run: Run, tmp_path: Path, sketchbook: Sketch
) -> None:
    _, figure, table = section(run, sketchbook(tmp_path)).blocks
    assert isinstance(figure, Figure)
    assert isinstance(table, Table)
    rows = {row[0]: row for row in table.rows}
    own = [each.calls for each in subgroups(run.internal, run.targets[0]) if each.of == "sex"]
    counts = [[each.tp, each.fn] for each in own]
    assert min(min(row) for row in counts) < 5
    assert rows["Sex"][4] == p_value(stats.fisher_exact(counts).pvalue)
    assert rows["Grade"][6] == "\N{EN DASH}"  # grades are those of HCC: nothing to compare among the others


def test_no_covariates(diagnosed: Path, tmp_path: Path, sketchbook: Sketch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hepatica.report.page.results.Results.covariates", lambda self: [])
    [told] = section(read_run(diagnosed, external=[]), sketchbook(tmp_path)).blocks
    assert isinstance(told, Text)
    assert "No cohort has a covariate" in told.text

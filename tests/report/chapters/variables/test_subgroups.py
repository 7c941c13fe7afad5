from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from report_runs import seal_tables
from scipy import stats

from hepatica.evaluate import heterogeneity_p, log_rank_p, sensitivity, specificity
from hepatica.report.chapters.variables.subgroups import section, subgroups
from hepatica.report.page.blocks import Figure, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run, read_run
from hepatica.report.page.wording import p_value

Sketch = Callable[[Path], Gallery]


@pytest.fixture
def run(finished: Path) -> Run:
    return read_run(finished, external=[finished / "external" / "hospital_b"])


@pytest.fixture
def diagnosis(diagnosed: Path) -> Run:
    return read_run(diagnosed, external=[])


def test_subgroups_share_out_the_patients_who_have_a_value(run: Run) -> None:
    [external], target = run.external, run.targets[0]
    found, everybody = subgroups(external, target), external.outcomes(target)
    invasion = [each for each in found if each.of == "vascular_invasion"]
    known = external.patients.loc[everybody.index, "vascular_invasion"].notna().sum()
    assert sum(len(each.outcomes) for each in invasion) == known < len(everybody)
    assert not set(invasion[0].outcomes.index) & set(invasion[1].outcomes.index)


def test_the_table_tells_log_rank_and_interaction(
    run: Run, tmp_path: Path, sketchbook: Callable[[Path], Gallery]
) -> None:
    [external], target = run.external, run.targets[0]
    tables = [block for block in section(run, sketchbook(tmp_path)).blocks if isinstance(block, Table)]
    everybody = external.outcomes(target)
    small = everybody[external.patients["tumour_size_cm"].loc[everybody.index].to_numpy() <= 5]
    p = log_rank_p(small["time"], event=small["event"], group=small["group"]).value
    told = {row[0].strip(): row for row in tables[1].rows}
    assert told["Tumour size (cm) ≤ 5"][4] == p_value(p)
    own = [each.ratio for each in subgroups(external, target) if each.of == "tumour_size_cm" and each.ratio]
    assert told["Tumour size (cm)"][5] == p_value(heterogeneity_p(own).value)


def test_a_cohort_without_a_column_is_told(
    make_run: Callable[..., tuple[Path, list[Path]]], tmp_path: Path, sketchbook: Callable[[Path], Gallery]
) -> None:
    folder, external = make_run()
    away = pd.read_parquet(external[0] / "patients.parquet").drop(columns="vascular_invasion")
    away.to_parquet(external[0] / "patients.parquet")
    seal_tables(external[0])
    blocks = section(read_run(folder, external=external), sketchbook(tmp_path)).blocks
    assert [b.text for b in blocks if isinstance(b, Text) and "has no subgroups by" in b.text] == [
        "External: Hospital B has no subgroups by Vascular invasion: the column is missing, or all patients have the"
        " same value."
    ]
    assert any(isinstance(b, Text) and b.tone == "warning" and "no evidence" in b.text for b in blocks)


def test_each_kind_of_other_lesion_has_its_specificity(diagnosis: Run) -> None:
    found = {each.name: each for each in subgroups(diagnosis.internal, diagnosis.targets[0]) if each.of == "kind"}
    known = diagnosis.internal.outcomes(diagnosis.targets[0]).dropna(subset=["label"])
    cyst = diagnosis.internal.patients.loc[known.index, "kind"] == "cyst"
    calls = found["cyst"].calls
    assert specificity(calls).value == (known.loc[cyst, "group"] == "low").mean()
    assert specificity(calls).n == cyst.sum()
    assert sensitivity(calls).n == 0
    assert found["cyst"].area == "\N{EN DASH}"
    assert sensitivity(found["HCC"].calls).n == (known["label"] == 1).sum()


def test_rates_are_those_at_the_locked_cutoff(diagnosis: Run) -> None:
    target = diagnosis.targets[0]
    every = [each for each in subgroups(diagnosis.internal, target) if each.of == "sex"]
    tp, fn = (sum(getattr(each.calls, cell) for each in every) for cell in ("tp", "fn"))
    row = diagnosis.internal.metric("sensitivity", target, cutoff=diagnosis.cutoffs[target.key])
    assert tp / (tp + fn) == pytest.approx(row["value"])


def test_the_table_tests_sensitivity_among_the_ill_and_specificity_among_the_others(
    diagnosis: Run, tmp_path: Path, sketchbook: Sketch
) -> None:
    _, figure, table = section(diagnosis, sketchbook(tmp_path)).blocks
    assert isinstance(figure, Figure)
    assert isinstance(table, Table)
    rows = {row[0]: row for row in table.rows}
    own = [each.calls for each in subgroups(diagnosis.internal, diagnosis.targets[0]) if each.of == "sex"]
    counts = [[each.tp, each.fn] for each in own]
    assert min(min(row) for row in counts) < 5
    assert rows["Sex"][4] == p_value(stats.fisher_exact(counts).pvalue)
    assert rows["Grade"][6] == "\N{EN DASH}"  # grades are those of HCC: nothing to compare among the others


def test_no_covariates(diagnosis: Run, tmp_path: Path, sketchbook: Sketch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hepatica.report.page.results.Results.covariates", lambda self: [])
    assert "No cohort has a covariate" in str(section(diagnosis, sketchbook(tmp_path)))

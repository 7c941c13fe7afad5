from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hepatica.evaluate import heterogeneity_p, log_rank_p
from hepatica.report.chapters.subgroups import parts, section, subgroups
from hepatica.report.page.blocks import Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run, read_run
from hepatica.report.page.wording import p_value


@pytest.fixture
def run(finished: Path) -> Run:
    return read_run(finished, external=[finished / "external" / "hospital_b"])


def test_numbers_are_parted_at_the_threshold_which_belongs_below() -> None:
    found = parts(pd.Series([4.9, 5.0, 5.1, np.nan], name="tumour_size_cm"), threshold=5)
    assert {name: members.tolist() for name, members in found.items()} == {
        "Tumour size (cm) ≤ 5": [True, True, False, False],
        "Tumour size (cm) > 5": [False, False, True, False],
    }


def test_nought_and_one_are_no_and_yes() -> None:
    found = parts(pd.Series([0, 1, np.nan], name="vascular_invasion"), threshold=None)
    assert list(found) == ["Vascular invasion: no", "Vascular invasion: yes"]
    assert [members.sum() for members in found.values()] == [1, 1]


def test_levels_are_subgroups_unless_there_are_many_or_one() -> None:
    assert list(parts(pd.Series(list("BAB"), name="grade"), threshold=None)) == ["Grade: A", "Grade: B"]
    assert parts(pd.Series(list("ABCDE"), name="grade"), threshold=None) == {}
    assert parts(pd.Series(["A", None], name="grade"), threshold=None) == {}
    assert parts(pd.Series([1.0, 2.0], name="tumour_size_cm"), threshold=5) == {}


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
    own = [each.ratio.ratio for each in subgroups(external, target) if each.of == "tumour_size_cm" and each.ratio]
    assert told["Tumour size (cm)"][5] == p_value(heterogeneity_p(own).value)


def test_a_cohort_without_a_column_is_told(
    make_run: Callable[..., tuple[Path, list[Path]]], tmp_path: Path, sketchbook: Callable[[Path], Gallery]
) -> None:
    folder, external = make_run()
    away = pd.read_parquet(external[0] / "patients.parquet").drop(columns="vascular_invasion")
    away.to_parquet(external[0] / "patients.parquet")
    blocks = section(read_run(folder, external=external), sketchbook(tmp_path)).blocks
    assert [b.text for b in blocks if isinstance(b, Text) and "cannot be parted" in b.text] == [
        "External: Hospital B cannot be parted by Vascular invasion: the column is missing, or all are alike."
    ]
    assert any(isinstance(b, Text) and b.tone == "warning" and "no evidence" in b.text for b in blocks)

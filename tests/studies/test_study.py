"""Study: studies are found by name, steps are done once, external cohorts that cannot validate are refused."""

from multiprocessing import active_children
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from jobs import write_or_fail

from hepatica.cohort import CohortError, RunError, SettingsError
from hepatica.cohort.seal import write_sealed
from hepatica.studies import Work, find_study, study_names, write_study_report
from hepatica.studies.study import check_external, external_names
from hepatica.systems import find_system


def test_every_study_is_named_as_its_system() -> None:
    assert study_names() == [find_system(name).name for name in study_names()]


def test_studies_are_found_by_name() -> None:
    assert find_study("li_2025_cnn_sasm").settings.folds == 5
    with pytest.raises(SettingsError, match="wanted one such as li_2025_cnn_sasm"):
        find_study("li_2024_cnn_sasm")


def test_an_edited_table_of_a_study_is_refused(tmp_path: Path) -> None:
    write_sealed(tmp_path / "seeing" / "seeing.json", {"channels": 3})
    (tmp_path / "seeing" / "seeing.json").write_text("{}")
    with pytest.raises(RunError, match=r"seeing\.json was changed after it was written"):
        write_study_report("li_2025_cnn_sasm", tmp_path)


def test_names_are_numbered_where_they_stand_twice(tmp_path: Path) -> None:
    assert external_names([tmp_path / "a" / "x", tmp_path / "b" / "x", tmp_path / "y"]) == ["x_1", "x_2", "y"]


def test_same_patients_of_one_hospital_are_refused(write_cohort, tmp_path: Path) -> None:
    cohort = write_cohort(tmp_path / "a")
    again = write_cohort(tmp_path / "b")
    with pytest.raises(CohortError, match="the external cohort tiny"):
        check_external([again], cohort=cohort, endpoint="recurrence")
    with pytest.raises(CohortError, match="no endpoint 'hcc'"):
        check_external([again], cohort=cohort, endpoint="hcc")


def test_a_step_is_done_once_and_wholly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, times = tmp_path / "t.parquet", []
    work = Work(cohort=tmp_path, run=tmp_path, external={}, settings=None)

    def made() -> pd.DataFrame:
        times.append(1)
        return pd.DataFrame({"a": np.arange(2)})

    def broken(table: pd.DataFrame, path: Path, **_: object) -> None:
        Path(path).write_bytes(b"half")
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(pd.DataFrame, "to_parquet", broken)
        with pytest.raises(OSError, match="disk full"):
            work.once(path, made, step="a step")
    assert not path.exists()
    work.once(path, made, step="a step")
    work.once(path, made, step="a step")
    assert len(times) == 2
    assert pd.read_parquet(path)["a"].tolist() == [0, 1]


def test_a_job_in_its_own_process_writes_the_same_bytes_and_raises_the_same_error(tmp_path: Path) -> None:
    """In half of the threads: the others are for the other job."""
    found, threads = [], torch.get_num_threads()
    for jobs in (1, 2):
        work = Work(cohort=tmp_path, run=tmp_path, external={}, settings=None, jobs=jobs)
        with pytest.raises(RunError, match="got bad, wanted good"):
            work.side_by_side(write_or_fail, ["bad"])
        found.append((tmp_path / "bad").read_bytes())
        assert int((tmp_path / "threads").read_text()) == max(1, threads // jobs)
        (tmp_path / "bad").unlink()
    assert found[0] == found[1]
    assert active_children() == []

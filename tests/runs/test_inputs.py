"""Inputs: a cohort goes to another process as plain values, and is the same there."""

import json
from collections.abc import Callable
from pathlib import Path

from hepatica.cohort import MicronsPerPixel, load_cohort
from hepatica.runs.inputs import cohort_as_plain, cohort_from_plain, read_inputs


def test_a_cohort_folder_is_read_again(tmp_path: Path, write_cohort: Callable[..., Path]) -> None:
    cohort = load_cohort(write_cohort(tmp_path))
    plain = json.loads(json.dumps(cohort_as_plain(cohort)))
    assert plain == {"folder": str(tmp_path)}
    assert cohort_from_plain(plain).digest == cohort.digest


def test_bare_files_are_listed_with_all_that_is_known_of_them(tmp_path: Path) -> None:
    files = [tmp_path / "a.svs", tmp_path / "b.svs"]
    for each in files:
        each.touch()
    cohort = read_inputs(files, modality="slide", mpp=MicronsPerPixel(0.25), force_mpp=True)
    again = cohort_from_plain(json.loads(json.dumps(cohort_as_plain(cohort))))
    assert again.specimens == cohort.specimens
    assert [(each.extra, each.mpp, each.force_mpp) for each in again.specimens] == [
        ({"file": str(path)}, 0.25, True) for path in files
    ]
    assert again.patients.equals(cohort.patients)

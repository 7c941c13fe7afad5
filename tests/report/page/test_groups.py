import shutil
from pathlib import Path

from hepatica.report.page.groups import compared_groups
from hepatica.report.page.results import read_run


def test_groups_are_of_different_patients_and_the_first_was_learnt_from(finished: Path) -> None:
    groups = compared_groups(read_run(finished, external=[finished / "external" / "hospital_b"]))
    assert [(each.name, each.trained) for each in groups] == [
        ("Training", True),
        ("Internal test", False),
        ("Hospital B", False),
    ]
    assert [set(each.patients["fold"]) for each in groups] == [{"train", "validation"}, {"test"}, {"external"}]
    assert len({each.colour for each in groups}) == 3


def test_cohorts_of_one_name_are_told_apart_by_the_folder_of_their_results(copied: tuple[Path, list[Path]]) -> None:
    run, (external,) = copied
    shutil.copytree(external, external.with_name("second"))
    found = read_run(run)
    assert [each.title.split(", ")[-1] for each in found.external] == ["hospital_b", "second"]
    assert len({each.name for each in compared_groups(found)}) == 4

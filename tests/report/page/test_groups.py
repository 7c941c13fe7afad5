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

"""Applicability: unusual specimens are counted, explained and warned of."""

from types import SimpleNamespace
from typing import Any

import pandas as pd

from hepatica.report.chapters.applicability import section, warning
from hepatica.report.page import Table, Text

REASON = (
    "unlike the training specimens: bone share 0.24 (in training 0.02 to 0.04; 4.0 times the tolerance); units grey"
    " (in training HU)"
)


def cohort(title: str, applicability: list[str]) -> Any:
    reasons = [REASON if each == "unusual" else None for each in applicability]
    specimens = [*(f"s{place}" for place in range(len(applicability))), None]
    table = pd.DataFrame(
        {
            "specimen_id": specimens,
            "fold": "external",
            "applicability": [*applicability, "unusual"],
            "reason": [*reasons, REASON],
        }
    )
    others = table.assign(specimen_id="seen", fold="train")
    return SimpleNamespace(title=title, fold="external", predictions=pd.concat([table, table, others]))


def made(*cohorts: Any) -> Any:
    return section(SimpleNamespace(cohorts=cohorts), None)  # type: ignore[arg-type]


def test_specimens_of_the_reported_patients_are_counted_once() -> None:
    found = made(cohort("A", ["in_domain"] * 3 + ["unusual"]), cohort("B", ["in_domain", "not_assessable"]))
    (table, reasons) = [each for each in found.blocks if isinstance(each, Table)]
    assert [row[0].split(":")[0] for row in table.rows] == [
        "Within the domain of training",
        "Unusual",
        "Not assessable",
    ]
    cells = [[cell.replace("\N{NO-BREAK SPACE}", " ") for cell in row[1:]] for row in table.rows]
    assert cells == [["3 (75%)", "1 (50%)"], ["1 (25%)", "0 (0%)"], ["0 (0%)", "1 (50%)"]]
    assert reasons.rows == [["bone share", "1", "0"], ["units", "1", "0"]]


def test_a_cohort_of_many_unusual_specimens_is_warned_of() -> None:
    found = made(cohort("A", ["in_domain"] * 19 + ["unusual"]), cohort("B", ["unusual", "in_domain"]))
    warned = [each.text for each in found.blocks if isinstance(each, Text) and each.tone == "warning"]
    assert len(warned) == 1
    assert warned[0].startswith("B: 1 of 2 specimens are unlike those of training")
    assert warning("A", pd.DataFrame({"applicability": ["in_domain"]})) == ""


def test_a_system_whose_specimens_are_not_measured_says_so() -> None:
    (table,) = [each for each in made(cohort("A", ["unknown"])).blocks if isinstance(each, Table)]
    assert table.rows[0][0] == "Not examined"

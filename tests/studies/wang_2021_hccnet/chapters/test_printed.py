"""Printed: the counts kept give every printed number, and Table 3 has its groups."""

import numpy as np
import pandas as pd
import pytest
from report_ct import AIDED, MACHINE, UNAIDED

from hepatica.evaluate import Confusion
from hepatica.evaluate.binary.binary import AT_A_CUTOFF
from hepatica.radiology.risk_score import from_share
from hepatica.report.chapters.variables.covariates import diseased, grouped
from hepatica.report.page.results import Run
from hepatica.studies.wang_2021_hccnet.chapters.printed import RISK, TABLE_2, TABLE_3, risk

PRINTED = {
    "internal": {
        "accuracy": (0.810, 0.768, 0.848), "sensitivity": (0.784, 0.724, 0.837), "specificity": (0.844, 0.780, 0.896),
        "ppv": (0.868, 0.813, 0.912), "npv": (0.750, 0.682, 0.810), "kappa": (0.620,), "f1": (0.824,),
    },
    "external": {
        "accuracy": (0.813, 0.778, 0.845), "sensitivity": (0.894, 0.850, 0.928), "specificity": (0.740, 0.685, 0.789),
        "ppv": (0.756, 0.705, 0.803), "npv": (0.885, 0.838, 0.922), "kappa": (0.628,), "f1": (0.819,),
    },
}  # fmt: skip
"""Table 2 of the paper."""

ACCURACY = {
    "internal": (0.811, 0.842, 0.800, 0.853, 0.863, 0.884, 0.874),
    "external": (0.744, 0.817, 0.817, 0.805, 0.793, 0.878, 0.890),
}
"""Accuracy of Table 4 (three readers, then the model) and of Table 5 (the readers with the model)."""


@pytest.mark.parametrize("where", PRINTED)
def test_the_counts_give_every_number_of_table_2(where: str) -> None:
    for name, printed in PRINTED[where].items():
        found = AT_A_CUTOFF[name](TABLE_2.counts[where])
        np.testing.assert_allclose((found.value, found.low, found.high)[: len(printed)], printed, atol=5.1e-4)


@pytest.mark.parametrize("where", PRINTED)
def test_the_counts_give_the_accuracy_of_tables_4_and_5(where: str) -> None:
    read: list[Confusion] = [*UNAIDED[where], MACHINE[where], *AIDED[where]]
    found = [AT_A_CUTOFF["accuracy"](each).value for each in read]
    np.testing.assert_allclose(found, ACCURACY[where], atol=5.1e-4)
    assert {(each.tp + each.fn, each.tn + each.fp) for each in read} == {(54, 41) if where == "internal" else (46, 36)}


@pytest.mark.parametrize(
    ("place", "values", "groups"),
    [
        (0, [5.0, 5.1, None], {"≤ 5 cm": [0], "> 5 cm": [1]}),
        (1, ["IIIA", "II", "IV", "IB", None, "T1"], {"I + II": [1, 3], "III + IV": [0, 2]}),
        (2, [1, 2, 6], {"solitary": [0], "multiple": [1, 2]}),
        (3, [0.0, 1.0, np.nan], {"no": [0], "yes": [1]}),
        (4, [4, 0, 0], {"F0": [1, 2], "F1": [], "F2": [], "F3": [], "F4": [0]}),
        (5, [2, 3, 4], {"F0 to F2": [0], "F3 and F4": [1, 2]}),
        (6, [4.0, 1.0, np.nan], {"G1": [1], "G2": [], "G3": [], "G4": [0]}),
    ],
)
def test_patients_are_divided_as_in_table_3(place: int, values: list[object], groups: dict[str, list[float]]) -> None:
    parameter = TABLE_3[place]
    table = pd.DataFrame({parameter.column: values, "value": np.arange(len(values), dtype=float)})
    assert {name: each.tolist() for name, each in grouped(table, parameter).items()} == groups
    assert list(parameter.printed) == ["P", *groups]


def test_only_patients_with_hcc_have_a_risk(study: Run) -> None:
    outcomes = study.internal.outcomes(study.targets[0]).query("label == 1")
    np.testing.assert_allclose(diseased(study.internal, RISK)["value"], from_share(outcomes["score"]))


def test_a_score_rounded_up_to_1_stays_finite() -> None:
    np.testing.assert_allclose(risk(np.ones(2)), 15.95, atol=0.01)

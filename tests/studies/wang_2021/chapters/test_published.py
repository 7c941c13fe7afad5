import numpy as np
import pytest

from hepatica.evaluate import Confusion
from hepatica.evaluate.binary.binary import AT_A_CUTOFF
from hepatica.studies.wang_2021.chapters.published import AIDED, MACHINE, TABLE_2, UNAIDED, WHERE

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
"""Accuracy of Table 4 (three readers, then the model) and of Table 5 (the readers with help)."""


@pytest.mark.parametrize("where", WHERE)
def test_the_counts_give_every_number_of_table_2(where: str) -> None:
    for name, printed in PRINTED[where].items():
        found = AT_A_CUTOFF[name](TABLE_2[where])
        np.testing.assert_allclose((found.value, found.low, found.high)[: len(printed)], printed, atol=5.1e-4)


@pytest.mark.parametrize("where", WHERE)
def test_the_counts_give_the_accuracy_of_tables_4_and_5(where: str) -> None:
    read: list[Confusion] = [*UNAIDED[where], MACHINE[where], *AIDED[where]]
    found = [AT_A_CUTOFF["accuracy"](each).value for each in read]
    np.testing.assert_allclose(found, ACCURACY[where], atol=5.1e-4)
    assert {(each.tp + each.fn, each.tn + each.fp) for each in read} == {(54, 41) if where == "internal" else (46, 36)}

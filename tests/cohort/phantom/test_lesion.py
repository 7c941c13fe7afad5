from itertools import product

import pandas as pd
import pytest

from hepatica.clinical.scores.registry import score
from hepatica.cohort.phantom import AT_RISK, FOCAL_LESIONS, TYPICAL_LESIONS, Features, Lesion, draw_patients
from hepatica.cohort.phantom.lesion import CLASSES, KINDS, NORMAL
from hepatica.cohort.phantom.tables import patient_table


def test_the_category_is_that_of_the_published_table() -> None:
    lesions = [
        Lesion(kind="hcc", diameter_cm=size, features=Features(hyperenhancing=a, washout=b, capsule=c))
        for size, a, b, c in product((0.9, 1.0, 1.9, 2.0, 5.0), *[(False, True)] * 3)
    ]
    table = pd.DataFrame([each.observed | {"observation_mm": 10 * each.diameter_cm} for each in lesions])
    assert score("li_rads", table).iloc[:, 0].tolist() == table.lirads.tolist()
    assert set(table.lirads) == {"LR-3", "LR-4", "LR-5"}


@pytest.mark.parametrize(
    ("lesion", "classes"),
    [
        (Lesion(kind="hcc", diameter_cm=2), ("classic hcc", "hcc", "hcc", "hcc", "malignant", None)),
        (
            Lesion(kind="hcc", diameter_cm=2, atypical=True),
            ("indeterminate or rare benign", "hcc", "hcc", "hcc", "malignant", None),
        ),
        (
            Lesion(kind="sarcoma", diameter_cm=2),
            ("other malignant", None, "other malignant", "other malignant", "malignant", None),
        ),
        (
            Lesion(kind="abscess", diameter_cm=2),
            ("indeterminate or rare benign", None, "other benign", None, "benign", None),
        ),
        (Lesion(kind="cyst", diameter_cm=2), ("cyst", "cyst", "cyst", None, "benign", None)),
    ],
)
def test_a_lesion_has_the_classes_of_each_paper(lesion: Lesion, classes: tuple[str | None, ...]) -> None:
    assert tuple(lesion.classes.values()) == classes


def test_focal_lesions_are_of_every_kind_and_some_patients_have_two() -> None:
    patients = draw_patients(300, population=FOCAL_LESIONS)
    assert {each.tumour.kind for each in patients} == {*KINDS, "hcc"} - {NORMAL}
    beside = [each for each in patients if {one.kind for one in each.tumour.lesions} - {each.tumour.kind}]
    assert 0.2 < len(beside) / 300 < 0.4
    assert all(each.tumour.lesions[0].kind == each.tumour.kind for each in beside)
    told = patient_table(patients)
    assert set(told.lesion_class) == set(CLASSES["lesion_class"])
    assert set(told.lesion_group) == set(CLASSES["lesion_group"])
    assert list(told.tumour_number) == [len(each.tumour.own) for each in patients]


def test_typical_lesions_are_of_six_kinds_alike() -> None:
    shares = patient_table(draw_patients(600, population=TYPICAL_LESIONS)).lesion_kind.value_counts(normalize=True)
    assert set(shares.index) == set(CLASSES["lesion_kind"])
    assert shares.between(0.12, 0.22).all()


def test_those_at_risk_have_every_category() -> None:
    found = pd.Series([each.tumour.lesions[0].lirads for each in draw_patients(200, population=AT_RISK)])
    assert found.value_counts(normalize=True).between(0.1, 0.5).all()

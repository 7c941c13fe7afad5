"""Splits: disjoint, stratified, the same for a seed, whatever the order of the table."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort import CohortError, Split, fold_patients, refuse_overlap, split_patients
from hepatica.cohort.splits import FOLDS


def strata(*counts):
    labels = np.repeat(np.arange(len(counts), dtype=float), counts)
    return pd.Series(labels, index=[f"P{number:03d}" for number in range(len(labels))])


STRATA = st.lists(st.integers(3, 40), min_size=2, max_size=3).map(lambda counts: strata(*counts))


def test_each_class_is_dealt_in_the_given_shares():
    labels = strata(200, 100)
    split = split_patients(labels, validation=0.1, test=0.2, seed=2023)
    counts = {name: labels[list(getattr(split, name))].value_counts().sort_index().tolist() for name in FOLDS}
    assert counts == {"train": [140, 70], "validation": [20, 10], "test": [40, 20]}


@settings(deadline=None, max_examples=60)
@given(STRATA, st.floats(0.01, 0.3), st.floats(0.01, 0.3), st.integers(0, 9))
def test_everybody_is_in_one_group_and_every_class_in_every_group(labels, validation, test, seed):
    split = split_patients(labels, validation=validation, test=test, seed=seed)
    assert sorted(split.train + split.validation + split.test) == list(labels.index)
    for name in FOLDS:
        assert set(labels[list(getattr(split, name))]) == set(labels)


@settings(deadline=None, max_examples=30)
@given(STRATA, st.randoms(use_true_random=False))
def test_the_order_of_the_table_does_not_matter(labels, random):
    shuffled = labels.sample(frac=1, random_state=random.randrange(1000))
    assert split_patients(labels, validation=0.2, test=0.2, seed=1) == split_patients(
        shuffled, validation=0.2, test=0.2, seed=1
    )
    assert list(fold_patients(labels, folds=3, seed=1)) == list(fold_patients(shuffled, folds=3, seed=1))


def test_a_seed_gives_the_same_split_and_another_another():
    first, again, other = (split_patients(strata(30, 30), validation=0.2, test=0.2, seed=seed) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_classes_may_have_words_for_names():
    labels = strata(6, 6).map({0.0: "relapse-free", 1.0: "relapsed"})
    assert len(split_patients(labels, validation=0.2, test=0.2, seed=0).test) == 2


def test_a_share_of_zero_leaves_a_group_empty():
    split = split_patients(strata(5, 5), validation=0, test=0, seed=0)
    assert (len(split.train), split.validation, split.test) == (10, (), ())


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.9, 0.4), (-0.1, 0.2), (0.1, 1.0)])
def test_shares_that_leave_nobody_to_train_are_refused(shares):
    with pytest.raises(CohortError, match=r"no patient is left to train"):
        split_patients(strata(10, 10), validation=shares[0], test=shares[1], seed=0)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (strata(10), r"got 10 of class 0, wanted at least 3 patients of each of two classes"),
        (strata(10, 2), r"2 of class 1, wanted at least 3 .*; add patients, or merge classes"),
        (pd.Series(dtype=float), r"got no patients, wanted"),
        (pd.Series([0, 0, 0, 1, 1, 1, np.nan], index=list("abcdefg")), r"1 patient\(s\) have no class to split by"),
    ],
)
def test_too_small_a_class_is_refused(labels, message):
    with pytest.raises(CohortError, match=message):
        split_patients(labels, validation=0.1, test=0.1, seed=0)
    with pytest.raises(CohortError, match=message):
        list(fold_patients(labels, folds=3, seed=0))


def test_patients_who_are_all_alike_are_split_where_the_task_says_so():
    alike = strata(10)
    split = split_patients(alike, validation=0.2, test=0.2, seed=0, classes=1)
    assert list(map(len, (split.train, split.validation, split.test))) == [6, 2, 2]
    assert [len(held_out) for _, held_out in fold_patients(alike, folds=5, seed=0, classes=1)] == [2] * 5
    with pytest.raises(CohortError, match=r"got 2 of class 0, wanted at least 3 patients to split by"):
        split_patients(alike[:2], validation=0.2, test=0.2, seed=0, classes=1)


@settings(deadline=None, max_examples=30)
@given(st.integers(5, 30), st.integers(5, 30), st.integers(2, 5))
def test_folds_hold_everybody_out_once_and_keep_the_shares(first, second, folds):
    labels = strata(first, second)
    dealt = list(fold_patients(labels, folds=folds, seed=3))
    assert sorted(patient for _, held_out in dealt for patient in held_out) == list(labels.index)
    for kept, held_out in dealt:
        assert sorted(kept + held_out) == list(labels.index)
        counts = labels[list(held_out)].value_counts()
        assert abs(counts[0] - first / folds) < 1
        assert abs(counts[1] - second / folds) < 1


def test_one_fold_is_refused():
    with pytest.raises(CohortError, match="got 1 folds, wanted 2 or more"):
        list(fold_patients(strata(5, 5), folds=1, seed=0))


@pytest.mark.parametrize(("first", "second"), list(combinations(FOLDS, 2)))
def test_a_patient_in_two_groups_is_refused_and_not_named(first, second):
    groups = {name: (name,) for name in FOLDS} | {first: ("secret", "a"), second: ("b", "secret")}
    with pytest.raises(CohortError, match=rf"1 patient\(s\) are both in {first} and in {second}") as caught:
        Split(**groups)
    assert "secret" not in str(caught.value)


def test_a_patient_twice_in_a_group_is_refused():
    with pytest.raises(CohortError, match="a patient is in train more than once"):
        Split(train=("a", "a"), validation=(), test=())


def test_two_cohorts_that_share_patients_are_refused():
    refuse_overlap({"a"}, {"b"}, first="training", second="validation")
    with pytest.raises(CohortError, match=r"2 patient\(s\) are both in training and in validation"):
        refuse_overlap({"a", "b", "c"}, {"b", "c"}, first="training", second="validation")


def test_a_split_comes_back_as_it_was_written(tmp_path):
    split = Split(train=("NA", "007", "é, ü"), validation=(), test=("None", "1e5"))
    split.write(tmp_path / "split.csv")
    assert Split.read(tmp_path / "split.csv") == split
    assert split.folds().to_dict() == {"NA": "train", "007": "train", "é, ü": "train", "None": "test", "1e5": "test"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("patient_id,fold\na,trian\n", r"got the folds \['trian'\], wanted train, validation, test"),
        ("patient_id,fold\na,train\na,test\n", "both in train and in test"),
        ("patient,fold\na,train\n", "got the columns patient, fold, wanted patient_id, fold"),
    ],
)
def test_a_split_nuisance_hand_is_refused(tmp_path, text, message):
    path = tmp_path / "split.csv"
    path.write_text(text)
    with pytest.raises(CohortError, match=message):
        Split.read(path)

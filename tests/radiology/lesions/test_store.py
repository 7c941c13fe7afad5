"""Store: crops read once, in HU, scaled when asked for, and only again when something that they depend on changes."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from hepatica.cohort import load_cohort
from hepatica.radiology.lesions import store as module
from hepatica.radiology.lesions.crops import Cropping
from hepatica.radiology.lesions.store import Reading, Scale, around, prepare
from hepatica.radiology.slicing import WINDOWS

FLAT = Reading(
    phases=("plain", "arterial", "delayed"), absent="refuse", cropping=Cropping(voxels=(1, 16, 16), share=0.7)
)
SOLID = replace(FLAT, cropping=Cropping(voxels=(6, 12, 12), share=0.7))
LIVER = Scale(kind="window", window=WINDOWS["liver"])


@pytest.fixture
def made(cohort_folder, tmp_path):
    cohort = load_cohort(cohort_folder)

    def store(reading=FLAT, scale=LIVER, cohort=cohort):
        return prepare(cohort.specimens_of("ct"), cohort.lesions, reading=reading, scale=scale, folder=tmp_path / "s")

    return store


def test_one_row_a_lesion_and_phases_are_channels(made):
    store = made()
    assert store.index[["patient_id", "lesion_id", "label"]].to_numpy().tolist() == [
        ["P1", "1", "hcc"], ["P1", "2", "cyst"], ["P2", "1", "cyst"],
    ]  # fmt: skip
    images = store.read(np.arange(3))
    assert images.shape == (3, 16, 16, 3)
    np.testing.assert_allclose(images[0, 8, 8], [(40 - 60) / 160 + 0.5, 1.0, 0.5], atol=2e-3)
    assert store.masks(np.array([0]))[0, 0, 8, 8] == 1
    assert store.specimens["phases"].tolist() == ["plain, arterial, delayed"] * 2
    assert store.specimens["lesions"].tolist() == [2, 1]


def test_volumes_have_phases_last(made):
    store = made(SOLID)
    assert store.read(np.array([0, 1])).shape == (2, 6, 12, 12, 3)
    assert store.read(np.zeros(0, int)).shape == (0, 6, 12, 12, 3)
    assert pickle.loads(pickle.dumps(store)).stored(np.array([2])).shape == (1, 3, 6, 12, 12)


def test_crops_are_scaled_by_their_own_range(made):
    images = made(scale=Scale(kind="crop")).read(np.arange(3))
    assert images[0, ..., 1].min() == 0
    assert images[0, ..., 1].max() == 1
    empty = Scale(kind="crop").apply(np.full((1, 2, 2, 2), np.nan))
    assert (empty == 0).all()


def test_a_level_is_kept_by_that_of_the_liver_around_by_hand():
    """Around lesion and rim there is 0.4 in the first phase, which becomes 0.5; the second has a highest value of 4."""
    scale, mask = Scale(kind="liver", highest=(None, 4.0)), np.array([1, 2, 0, 0]).reshape(1, 1, 1, 4)
    values = np.array([[0.6, 1.7, 0.4, 0.4], [1.0, 3.0, 9.0, np.nan]], np.float32).reshape(1, 2, 1, 1, 4)
    read = scale.apply(values, mask)[0, :, 0, 0]
    np.testing.assert_allclose(read, [[0.75, 1, 0.5, 0.5], [0.25, 0.75, 1, 0]])
    np.testing.assert_allclose(around(values[0], np.ones((1, 1, 4)))[0], 0.5)  # lesion everywhere: all of it


def test_nothing_is_read_beyond_lesion_and_rim_where_surroundings_are_not_wanted(made):
    seen, alone = (made(SOLID, scale=replace(LIVER, surroundings=each)) for each in (True, False))
    rows = np.arange(3)
    inside = seen.masks(rows)[..., None] > 0
    assert seen.read(rows)[~np.broadcast_to(inside, (3, 6, 12, 12, 3))].any()
    np.testing.assert_array_equal(alone.read(rows), seen.read(rows) * inside)


def test_the_outline_is_a_last_channel(made):
    outlined = made(SOLID, scale=replace(LIVER, outline=True))
    rows = np.arange(3)
    read, marks = outlined.read(rows), outlined.masks(rows)
    assert read.shape == (3, 6, 12, 12, 4)
    np.testing.assert_array_equal(read[..., 3], np.array([0, 1, 0.5])[marks])
    assert read.dtype == np.float32


def test_nothing_is_read_twice_unless_a_row_changes(made, cohort_folder, monkeypatch):
    made()
    read = []
    write = module._write

    def counted(path, specimen, *rows, **options):
        read.append(specimen)
        write(path, specimen, *rows, **options)

    monkeypatch.setattr(module, "_write", counted)
    made()
    assert read == []
    cohort = load_cohort(cohort_folder)
    relabelled = replace(cohort, lesions=cohort.lesions.assign(label="hcc"))
    assert set(made(cohort=relabelled).index["label"]) == {"hcc"}
    assert read == []
    changed = cohort.lesions.copy()
    changed.loc[2, "diameter_mm"] = 11.0
    made(cohort=replace(cohort, lesions=changed))
    assert [each.specimen_id for each in read] == ["S2"]


def test_a_study_without_lesions_is_a_failure_with_its_reason(made, cohort_folder):
    cohort = load_cohort(cohort_folder)
    store = made(cohort=replace(cohort, lesions=cohort.lesions.iloc[:2]))
    assert store.failures[["specimen_id", "row"]].to_numpy().tolist() == [["S2", 3]]
    assert "no lesion of this specimen" in store.failures["error"].iloc[0]
    assert len(store.select(patient_ids=["P1"])) == 2
    assert store.rows(np.array([True, False])).index["label"].tolist() == ["hcc"]


def test_without_a_table_lesions_are_those_of_the_masks(made, cohort_folder):
    cohort = load_cohort(cohort_folder)
    store = made(cohort=replace(cohort, lesions=cohort.lesions.iloc[:0]))
    assert store.index[["specimen_id", "lesion_id"]].to_numpy().tolist() == [["S1", "1"], ["S1", "2"], ["S2", "1"]]
    assert "no rows in lesions.csv" in store.specimens["notes"].iloc[0]

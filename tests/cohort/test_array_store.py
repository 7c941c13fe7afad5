"""Array store: a file a study, written once, read by rows, and missed when it is gone."""

import pickle

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import Ledger, Specimen, SpecimenError, UnavailableError
from hepatica.cohort.array_store import ArrayStore, prepare_files, write_arrays


@pytest.fixture
def made(tmp_path):
    """Three studies, of which the second cannot be read; and who was written."""
    specimens = [
        Specimen(patient_id=f"P{n}", specimen_id=f"S{n}", modality="ct", path=tmp_path, row=n) for n in (2, 3, 4)
    ]
    written = []

    def write(path, specimen):
        if specimen.row == 3:
            raise SpecimenError("torn")
        written.append(specimen.specimen_id)
        write_arrays(path, {"numbers": np.arange(3) + 10 * specimen.row}, about={"count": 3})

    def store():
        keys = {each: f"key{each.row}" for each in specimens}
        found, failures = prepare_files(
            keys, write, ledger=Ledger(tmp_path / "ledger"), label="x", wanted="studies", progress=False
        )
        rows = [who | {"place": place} for who, about in found for place in range(about["count"])]
        index = pd.DataFrame(rows).drop(columns="key")
        studies = pd.DataFrame([who for who, _ in found])
        return ArrayStore(folder=tmp_path, index=index, specimens=studies, failures=failures)

    return store, written


def test_files_are_written_once_and_read_by_row(made):
    store, written = made
    store()
    found = store()
    assert sorted(written) == ["S2", "S4"]
    assert found.arrays("numbers", np.array([5, 0])).tolist() == [42, 20]
    assert found.arrays("numbers", np.zeros(0, int)).shape == (0,)
    assert found.failures[["specimen_id", "error"]].to_numpy().tolist() == [["S3", "torn"]]
    assert found.has("numbers", np.array([1]))
    assert not found.has("other", np.array([1]))


def test_few_files_are_open_at_once(made, monkeypatch):
    store, _ = made
    monkeypatch.setattr("hepatica.cohort.array_store.MOST_OPEN", 1)
    found = store()
    assert found.arrays("numbers", np.array([5, 0, 4])).tolist() == [42, 20, 41]
    assert len(found._open) == 1


def test_rows_are_chosen_and_a_copy_opens_its_own_files(made):
    store, _ = made
    found = store().select(patient_ids=["P4"])
    assert found.arrays("numbers", np.array([0])).tolist() == [40]
    assert len(pickle.loads(pickle.dumps(found)).rows(np.array([False, True, True]))) == 2
    assert found.select(specimen_ids=["S2"]).specimens.empty


def test_a_lost_file_says_so(made, tmp_path):
    store, _ = made
    found = store()
    (tmp_path / "key2.safetensors").unlink()
    with pytest.raises(UnavailableError, match="removed or damaged; prepare the studies again"):
        found.arrays("numbers", np.array([0]))

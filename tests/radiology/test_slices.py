"""Slices: the store gives the pixels of the study, windowed when asked for, and loses nothing on a kill or a fault."""

import os
import pickle
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hepatica.cohort import Ledger, NotAssessableError, Specimen, SpecimenError, UnavailableError, load_cohort
from hepatica.radiology import slices as slices_module
from hepatica.radiology.dicom.nifti import write_nifti
from hepatica.radiology.dicom.scans import find_scans
from hepatica.radiology.masks.mask import read_mask
from hepatica.radiology.phantom import PhantomSettings, phantom_ct
from hepatica.radiology.slices import SliceStore, prepare
from hepatica.radiology.slicing import WINDOWS, Slicing, resized

SMALL = PhantomSettings(matrix=64, slices=12, thickness_mm=14, expert_share=0.5)
SLICING, WINDOW = Slicing(side=32), WINDOWS["abdomen"]


@pytest.fixture(scope="module")
def specimens(tmp_path_factory: pytest.TempPathFactory) -> tuple[Specimen, ...]:
    cohort = phantom_ct(tmp_path_factory.mktemp("phantom") / "A", patients=4, seed=5, settings=SMALL)
    return load_cohort(cohort).specimens


@pytest.fixture(scope="module")
def store(specimens, tmp_path_factory: pytest.TempPathFactory) -> SliceStore:
    return prepare(specimens, slicing=SLICING, window=WINDOW, folder=tmp_path_factory.mktemp("slices"))


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.safetensors")}


def test_pixels_are_those_of_the_study(specimens, store):
    scans = [scan.read() for scan in find_scans(specimens[0].path).scans]
    own = store.index[store.index["specimen_id"] == specimens[0].specimen_id]
    for row in (own.index[0], own.index[-1]):
        volume = scans[own.at[row, "series"] - 1]
        place = own.at[row, "slice"]
        wanted = WINDOW.grey(resized(volume.values[place], side=32, units="HU"))
        image = store.read(np.array([row]))[0]
        assert image.shape == (32, 32, 3)
        assert (image == wanted[..., None]).all()
        assert own.at[row, "z_mm"] == pytest.approx(volume.geometry.origin[2] + 14 * place)


def test_every_study_has_every_phase(store):
    assert (store.specimens["series"] == 4).all()
    assert store.index.groupby("specimen_id")["series"].nunique().eq(4).all()
    assert len(store) == store.specimens["slices"].sum() == len(store.index)
    assert store.failures.empty


def test_window_is_chosen_when_read(store):
    some = np.arange(len(store))
    wide, narrow = (replace(store, window=WINDOWS[name]).read(some) for name in ("abdomen", "liver"))
    assert narrow.std() > wide.std() > 0


def test_experts_marks_are_those_of_their_masks(specimens, store):
    outlined = next(each for each in specimens if "nodule_mask" in each.attachments)
    volume = find_scans(outlined.path).scans[0].read()
    mask = read_mask(outlined.attachments["nodule_mask"], geometry=volume.geometry)
    own = store.index[(store.index["specimen_id"] == outlined.specimen_id) & (store.index["series"] == 1)]
    assert own["nodule"].tolist() == mask[own["slice"]].any(axis=(1, 2)).astype(float).tolist()
    marked = store.nodules(own.index.to_numpy())
    sizes = mask[own["slice"]].sum(axis=(1, 2))
    assert np.corrcoef(marked.sum(axis=(1, 2)), sizes)[0, 1] > 0.95 or not mask.any()


def test_where_no_expert_looked_nothing_is_said(specimens, store):
    unseen = next(each for each in specimens if "nodule_mask" not in each.attachments)
    own = store.index.index[store.index["specimen_id"] == unseen.specimen_id].to_numpy()
    assert store.index.loc[own, "nodule"].isna().all()
    with pytest.raises(UnavailableError, match="no expert marked"):
        store.nodules(own[:1])


def test_a_selection_reads_the_same_slices(specimens, store):
    chosen = store.select(patient_ids=[specimens[1].patient_id])
    rows = np.flatnonzero((store.index["patient_id"] == specimens[1].patient_id).to_numpy())
    np.testing.assert_array_equal(chosen.read(np.arange(len(chosen))), store.read(rows))
    few = chosen.rows(chosen.index["series"] == 2)
    assert set(few.index["series"]) == {2}
    np.testing.assert_array_equal(few.read(np.arange(2)), store.read(rows[chosen.index["series"] == 2][:2]))


def test_one_limit_bounds_every_series(specimens, tmp_path):
    few = prepare(specimens[:1], slicing=replace(SLICING, per_series=3), window=WINDOW, folder=tmp_path)
    assert few.index.groupby("series").size().tolist() == [3, 3, 3, 3]


def test_prepared_studies_are_not_read_again(specimens, store, monkeypatch):
    before = files(store.folder)
    monkeypatch.setattr(slices_module, "_write", None)  # calling it would fail
    again = prepare(specimens, slicing=SLICING, window=WINDOWS["liver"], folder=store.folder)
    assert files(store.folder) == before
    assert again.index.equals(store.index)


def test_what_is_read_is_in_the_key(specimens, tmp_path):
    outlined = next(each for each in specimens if "nodule_mask" in each.attachments)
    keys = [slices_module._key(each, slicing=SLICING) for each in specimens]
    keys += [slices_module._key(outlined, slicing=replace(SLICING, side=40))]
    keys += [slices_module._key(replace(outlined, attachments={}), slicing=SLICING)]
    both = dict.fromkeys(("liver_mask", "nodule_mask"), outlined.attachments["nodule_mask"])
    keys += [slices_module._key(replace(outlined, attachments=both), slicing=SLICING)]
    assert len(set(keys)) == len(keys)


def test_a_study_that_cannot_be_read_stops_nobody(specimens, tmp_path):
    broken = tmp_path / "broken.zip"
    broken.write_bytes(specimens[0].path.read_bytes()[:1000])
    wrong = replace(specimens[0], patient_id="X", specimen_id="X", path=broken, row=9)
    found = prepare([*specimens[:1], wrong], slicing=SLICING, window=WINDOW, folder=tmp_path / "slices")
    assert found.failures[["patient_id", "row"]].to_numpy().tolist() == [["X", 9]]
    assert "zip archive is damaged" in found.failures["error"].iloc[0]
    with pytest.raises(SpecimenError, match=r"none of 1 studies gave a slice; row 9: the zip archive is damaged"):
        prepare([wrong], slicing=SLICING, window=WINDOW, folder=tmp_path / "none")


def test_a_series_that_cannot_be_read_is_told_and_the_others_are(ct, all_liver, tmp_path):
    ct.write(SeriesInstanceUID="1.1")
    ct.write(SeriesInstanceUID="1.2", RescaleSlope=None, RescaleIntercept=None)  # values that are no HU
    specimen = Specimen(patient_id="P", specimen_id="S", modality="ct", path=ct.folder, row=2)
    found = prepare([specimen], slicing=SLICING, window=WINDOW, folder=tmp_path / "slices")
    assert found.specimens["series"].tolist() == [1]
    assert "are not Hounsfield units" in found.specimens["notes"].iloc[0]
    errors = [
        Ledger(tmp_path / "slices" / "ledger").error(path.stem) for path in (tmp_path / "slices/ledger").iterdir()
    ]
    assert sum(error is not None for error in errors) == 1


def test_specimens_csv_may_name_the_series_and_the_key_depends_on_it(ct, all_liver, tmp_path):
    ct.write(SeriesInstanceUID="1.1", SeriesNumber=3)
    ct.write(ct.body() + 1, SeriesInstanceUID="1.2", SeriesNumber=4, ConvolutionKernel="LUNG")
    usual = Specimen(patient_id="P", specimen_id="S", modality="ct", path=ct.folder, row=2)
    chosen = prepare([usual], slicing=SLICING, window=WINDOW, folder=tmp_path / "slices")
    assert "6 files: a lung or bone kernel" in chosen.specimens["notes"].iloc[0]
    named = prepare([replace(usual, extra={"series": "4"})], slicing=SLICING, window=WINDOW, folder=tmp_path / "slices")
    assert named.specimens["series"].tolist() == [1]
    assert named.specimens["key"].tolist() != chosen.specimens["key"].tolist()
    assert "not among the series 4" in named.specimens["notes"].iloc[0]


def test_a_series_without_a_liver_is_not_assessable(ct, tmp_path):
    ct.write()
    specimen = Specimen(patient_id="P", specimen_id="S", modality="ct", path=ct.folder, row=2)
    with pytest.raises(NotAssessableError, match="no credible liver was found in this series") as caught:
        prepare([specimen], slicing=SLICING, window=WINDOW, folder=tmp_path / "slices")
    assert caught.value.failures["row"].tolist() == [2]


def test_a_liver_on_missing_slices_alone_is_noted(ct, tmp_path):
    ct.write(ct.body(count=11), heights=[5.0 * k for k in range(12) if k != 4])
    specimen = Specimen(patient_id="P", specimen_id="S", modality="ct", path=ct.folder, row=2)
    volume = find_scans(ct.folder).scans[0].read()
    assert np.flatnonzero(~volume.measured).tolist() == [4]
    liver = np.zeros(volume.values.shape, np.uint8)
    liver[4] = 1
    write_nifti(tmp_path / "liver.nii.gz", values=liver, geometry=volume.geometry)
    marked = replace(specimen, attachments={"liver_mask": tmp_path / "liver.nii.gz"})
    with pytest.raises(SpecimenError, match="all slices of the liver are missing or damaged"):
        prepare([marked], slicing=SLICING, window=WINDOW, folder=tmp_path / "slices")


def test_two_patients_in_one_folder_are_refused(ct, tmp_path):
    ct.write()
    ct.write(PatientID="SECRET-2", SeriesInstanceUID="1.9")
    specimen = Specimen(patient_id="P", specimen_id="S", modality="ct", path=ct.folder, row=2)
    with pytest.raises(SpecimenError, match="CT series of 2 patients in one study"):
        prepare([specimen], slicing=SLICING, window=WINDOW, folder=tmp_path / "slices")


def test_no_identifier_is_kept(ct, all_liver, tmp_path):
    ct.write()
    specimen = Specimen(patient_id="P", specimen_id="S", modality="ct", path=ct.folder, row=2)
    prepare([specimen], slicing=SLICING, window=WINDOW, folder=tmp_path / "slices")
    written = b"".join(path.read_bytes() for path in (tmp_path / "slices").rglob("*") if path.is_file())
    assert b"SECRET" not in written
    assert b"Secret" not in written


def test_pictures_are_read_as_they_are(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(5):
        Image.fromarray(np.full((32, 32), 40 * number, np.uint8)).save(folder / f"{number}.png")
    specimen = Specimen(patient_id="P", specimen_id="S", modality="ct", path=folder, row=2)
    found = prepare([specimen], slicing=SLICING, window=WINDOW, folder=tmp_path / "slices")
    assert found.read(np.arange(5))[:, 0, 0, 0].tolist() == [0, 40, 80, 120, 160]
    assert found.specimens["units"].tolist() == ["grey"]
    assert "without Hounsfield units" in found.specimens["notes"].iloc[0]


KILLED = """
import os, pickle, signal, sys
from hepatica.cohort import array_store
from hepatica.radiology import slices
specimens, slicing, window, folder, reads = pickle.load(sys.stdin.buffer)
sliced = slices._sliced
def counted(*arguments, **options):
    global reads
    reads -= 1
    if reads < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return sliced(*arguments, **options)
slices._sliced, slices._WORKERS, array_store._WORKERS = counted, 1, 1
slices.prepare(specimens, slicing=slicing, window=window, folder=folder)
"""


def test_killed_and_started_again_equals_undisturbed(specimens, store, tmp_path):
    command = pickle.dumps((specimens, SLICING, WINDOW, tmp_path, 6))
    killed = subprocess.run([sys.executable, "-c", KILLED], input=command, check=False, env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    assert len(files(tmp_path)) == 1
    resumed = prepare(specimens, slicing=SLICING, window=WINDOW, folder=tmp_path)
    assert resumed.index.equals(store.index)
    assert files(tmp_path) == files(store.folder)


def test_a_removed_file_is_a_clear_error(specimens, tmp_path):
    found = prepare(specimens[:1], slicing=SLICING, window=WINDOW, folder=tmp_path)
    for path in tmp_path.glob("*.safetensors"):
        path.unlink()
    with pytest.raises(UnavailableError, match="prepare the studies again"):
        found.read(np.arange(1))


def test_a_store_travels_to_another_process(store):
    store.read(np.arange(1))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(store)).read(np.arange(3)), store.read(np.arange(3)))

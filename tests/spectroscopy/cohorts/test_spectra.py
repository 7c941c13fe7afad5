"""Spectra: the store gives the spectra of the files, at one sampling, and loses nothing on a fault."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from hepatica.cohort import Ledger, Specimen, SpecimenError, UnavailableError
from hepatica.spectroscopy.cohorts import spectra as spectra_module
from hepatica.spectroscopy.cohorts.spectra import SpectraStore, prepare
from hepatica.spectroscopy.networks.network_input import as_complex, norm
from hepatica.spectroscopy.reading.nifti_mrs import write_nifti_mrs
from hepatica.spectroscopy.reading.read import read_spectrum
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.header import Header

WANTED = Acquisition(points=512)
SAMPLINGS = (WANTED, replace(WANTED, bandwidth_hz=2500.0, points=1024), replace(WANTED, points=1024))


@pytest.fixture(scope="module")
def specimens(tmp_path_factory, decay) -> tuple[Specimen, ...]:
    folder = tmp_path_factory.mktemp("files")
    made = []
    for number, sampling in enumerate(SAMPLINGS, start=1):
        gain = 10.0**number
        spectrum, water = folder / f"{number}.nii.gz", folder / f"{number}_water.nii.gz"
        fid = gain * decay(sampling, water=300.0, noise=0.5, seed=number)
        write_nifti_mrs(spectrum, fids=fid, acquisition=sampling)
        write_nifti_mrs(water, fids=gain * decay(sampling, {4.65: 4e4}), acquisition=sampling, suppressed=False)
        who = {"patient_id": f"P{number}", "specimen_id": f"S{number}", "modality": "spectrum", "row": number + 1}
        made.append(Specimen(path=spectrum, attachments={"water": water} if number < 3 else {}, **who))
    return tuple(made)


@pytest.fixture(scope="module")
def store(specimens, tmp_path_factory) -> SpectraStore:
    return prepare(specimens, acquisition=WANTED, folder=tmp_path_factory.mktemp("spectra"))


def test_spectra_are_those_of_the_files(specimens, store):
    assert len(store) == 3
    whole = read_spectrum(specimens[0].path, water=specimens[0].attachments["water"])
    window = (WANTED.ppm >= 0.4) & (WANTED.ppm <= 4.2)
    np.testing.assert_array_equal(store.ppm, WANTED.ppm[window])
    np.testing.assert_allclose(store.values(np.array([0]))[0], whole.values[window], rtol=1e-12)
    kept = store.spectrum(0)
    np.testing.assert_array_equal(kept.water, whole.water)
    assert (kept.acquisition, kept.notes) == (whole.acquisition, whole.notes)


def test_one_sampling_and_one_scale_reach_the_network(store):
    read = store.read(np.arange(3))
    assert (read.shape, read.dtype) == ((3, 1, len(store.ppm), 2), np.float32)
    values = as_complex(read)
    np.testing.assert_allclose(norm(values), 1, rtol=1e-5)
    np.testing.assert_allclose(np.abs(values[1]), np.abs(values[0]), atol=0.06 * np.abs(values).max())
    assert store.ppm[np.abs(values[1]).argmax()] == pytest.approx(1.28, abs=0.02)
    np.testing.assert_allclose(store.index["norm"] / 10.0 ** np.arange(1, 4), store.index["norm"][0] / 10, rtol=0.05)


def test_the_index_tells_what_fitters_and_readers_want(store):
    assert store.index.columns.tolist() == [
        "patient_id", "specimen_id", "norm", "noise_sd", "snr", "linewidth_hz", "water_residual", "lipid"
    ]  # fmt: skip
    assert store.index["noise_sd"][0] == pytest.approx(10 * 0.5 * np.sqrt(512), rel=0.2)
    assert store.index["linewidth_hz"].tolist() == pytest.approx([12, 12, 12], rel=0.1)
    assert store.specimens["water"].tolist() == [True, True, False]
    assert "no water reference was used" in store.specimens["notes"][2]
    assert store.failures.empty


def test_a_selection_reads_the_same_spectra(store):
    chosen = store.select(patient_ids=["P2"])
    assert chosen.index["specimen_id"].tolist() == ["S2"]
    np.testing.assert_array_equal(chosen.read(np.array([0])), store.read(np.array([1])))
    assert len(store.select(specimen_ids=["S1", "S3"])) == 2


def test_prepared_spectra_are_not_read_again(specimens, store, monkeypatch):
    monkeypatch.setattr(spectra_module, "_write", None)  # calling it would fail
    again = prepare(specimens, acquisition=WANTED, folder=store.folder)
    assert again.index.equals(store.index)
    assert again.specimens.equals(store.specimens)


def test_what_is_read_is_in_the_key(specimens):
    keys = [spectra_module.spectrum_key(each, settings={}) for each in specimens]
    keys += [spectra_module.spectrum_key(specimens[0], settings={"te_ms": 1})]
    keys += [spectra_module.spectrum_key(replace(specimens[0], attachments={}), settings={})]
    keys += [spectra_module.spectrum_key(replace(specimens[0], attachments=specimens[1].attachments), settings={})]
    assert len(set(keys)) == len(keys)


def test_the_spar_beside_a_sdat_counts(tmp_path):
    for name, content in (("a.SDAT", "x"), ("a.SPAR", "y")):
        (tmp_path / name).write_text(content)
    specimen = Specimen(patient_id="P", specimen_id="S", modality="spectrum", path=tmp_path / "a.SDAT", row=2)
    before = spectra_module.spectrum_key(specimen, settings={})
    (tmp_path / "a.SPAR").write_text("z")
    assert spectra_module.spectrum_key(specimen, settings={}) != before


def test_a_spectrum_that_cannot_be_read_stops_nobody(specimens, tmp_path):
    (tmp_path / "broken.nii.gz").write_bytes(specimens[0].path.read_bytes()[:500])
    broken = replace(specimens[0], patient_id="X", specimen_id="X", path=tmp_path / "broken.nii.gz", row=9)
    found = prepare([broken, specimens[1]], acquisition=WANTED, folder=tmp_path / "spectra")
    assert found.failures[["patient_id", "row"]].to_numpy().tolist() == [["X", 9]]
    assert "the spectrum cannot be read" in found.failures["error"].iloc[0]
    assert "broken" not in found.failures["error"].iloc[0]
    errors = [Ledger(tmp_path / "spectra/ledger").error(each.stem) for each in (tmp_path / "spectra/ledger").iterdir()]
    assert sum(error is not None for error in errors) == 1
    with pytest.raises(SpecimenError, match="none of 1 specimens gave a spectrum; row 9: the spectrum cannot be read"):
        prepare([broken], acquisition=WANTED, folder=tmp_path / "none")


def test_another_acquisition_is_refused_unless_told(specimens, tmp_path):
    at_30 = replace(WANTED, te_ms=30.0)
    with pytest.raises(SpecimenError, match="acquired with TE 35 ms, not 30"):
        prepare(specimens, acquisition=at_30, folder=tmp_path / "a")
    completed = prepare(specimens[:1], acquisition=at_30, folder=tmp_path / "b", header_overrides=Header(te_ms=30.0))
    assert completed.specimens["specimen_id"].tolist() == [specimens[0].specimen_id]


def test_a_lost_file_is_told_and_a_store_travels(specimens, tmp_path):
    store = prepare(specimens[:1], acquisition=WANTED, folder=tmp_path)
    travelled = pickle.loads(pickle.dumps(store))
    (tmp_path / f"{store.specimens['key'][0]}.safetensors").unlink()
    with pytest.raises(UnavailableError, match="removed or damaged; prepare the spectra again"):
        travelled.read(np.array([0]))

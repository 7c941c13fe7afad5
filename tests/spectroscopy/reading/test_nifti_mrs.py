"""NIfTI-MRS: there and back by the standard, axes by their names, and provenance in the header."""

import gzip
from dataclasses import replace

import nibabel
import numpy as np
import pytest
from nifti_mrs.create_nmrs import gen_nifti_mrs
from nifti_mrs.nifti_mrs import NIFTI_MRS

from hepatica.cohort import SpecimenError
from hepatica.spectroscopy.reading.nifti_mrs import read_nifti_mrs, write_nifti_mrs
from hepatica.spectroscopy.reading.read import read_raw
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.header import Header

STEAM = Acquisition(points=64, sequence="steam", te_ms=20.0, tr_ms=3000.0, tm_ms=10.0, reference_ppm=4.7)


@pytest.fixture
def fids(decay):
    one = decay(STEAM, noise=0.2)
    return np.stack([[one * (coil + 1) * 1j**transient for coil in range(4)] for transient in range(3)])


@pytest.mark.parametrize("kept", [(3, 4), (1, 4), (3, 1), (1, 1)])
def test_written_and_read_again_nothing_changes(tmp_path, fids, kept):
    some = fids[: kept[0], : kept[1]]
    write_nifti_mrs(tmp_path / "a.nii.gz", fids=some, acquisition=STEAM)
    raw = read_nifti_mrs(tmp_path / "a.nii.gz", header_overrides=Header())
    np.testing.assert_array_equal(raw.fids, some.astype(np.complex64))
    assert raw.acquisition == STEAM


def test_one_decay_is_written_alike(tmp_path, fids):
    write_nifti_mrs(tmp_path / "a.nii", fids=fids[0, 0], acquisition=replace(STEAM, tm_ms=None, tr_ms=None))
    raw = read_nifti_mrs(tmp_path / "a.nii", header_overrides=Header())
    assert raw.fids.shape == (1, 1, 64)
    assert (raw.acquisition.tr_ms, raw.acquisition.tm_ms) == (None, None)


def test_stored_values_turn_backwards_as_the_standard_wants(tmp_path, fids):
    """A resonance above the reference is stored as exp(-i w t): Levitt's convention, in which gamma B0 is negative."""
    write_nifti_mrs(tmp_path / "a.nii.gz", fids=fids[0, 0], acquisition=STEAM)
    image = NIFTI_MRS(tmp_path / "a.nii.gz")
    stored = np.asarray(image.image.nibImage.dataobj)[0, 0, 0]
    np.testing.assert_array_equal(stored, fids[0, 0].astype(np.complex64).conj())


def test_the_header_tells_what_was_done(tmp_path, fids):
    write_nifti_mrs(tmp_path / "a.nii.gz", fids=fids, acquisition=STEAM, suppressed=False, applied=("coils combined",))
    image = NIFTI_MRS(tmp_path / "a.nii.gz")  # validates against the standard
    assert image.dim_tags == ["DIM_COIL", "DIM_DYN", None]
    assert image.hdr_ext["WaterSuppressed"] is False
    (done,) = image.hdr_ext["ProcessingApplied"]
    assert (done["Program"], done["Method"]) == ("hepatica", "coils combined")
    assert done["Time"] == "unrecorded"  # or equal spectra would give unequal files
    assert image.hdr_ext["EchoTime"] == 0.02


def test_equal_decays_give_equal_files(tmp_path, fids):
    for name in ("a", "b"):
        write_nifti_mrs(tmp_path / f"{name}.nii.gz", fids=fids, acquisition=STEAM)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def saved(path, data, *, nucleus="1H", tags=(None, None, None), te=0.03):
    image = gen_nifti_mrs(data, 5e-4, 127.74, nucleus=nucleus, dim_tags=list(tags))
    image.add_hdr_field("EchoTime", te)
    image.save(path)
    return path


def ones(*shape):
    return np.ones(shape, np.complex64)


@pytest.mark.parametrize(
    ("shape", "tags", "message"),
    [
        ((2, 1, 1, 8), (), r"got \(2, 1, 1\) voxels, wanted one"),
        ((1, 1, 1, 8, 3), ("DIM_EDIT",), "got axes of 3 DIM_EDIT beside the points"),
        ((1, 1, 1, 8, 2, 3), ("DIM_DYN", "DIM_DYN"), "at most one DIM_COIL and one DIM_DYN"),
    ],
)
def test_what_is_no_single_voxel_of_coils_and_transients_is_refused(tmp_path, shape, tags, message):
    path = saved(tmp_path / "a.nii.gz", ones(*shape), tags=(*tags, None, None, None)[:3])
    with pytest.raises(SpecimenError, match=message):
        read_nifti_mrs(path, header_overrides=Header())


def test_more_coils_than_declared_are_refused(tmp_path, fids):
    """Four coils in a file whose header says nothing of a fifth axis."""
    write_nifti_mrs(tmp_path / "a.nii", fids=fids[:1], acquisition=STEAM)
    content = (tmp_path / "a.nii").read_bytes()
    (tmp_path / "a.nii").write_bytes(content.replace(b'"dim_5": "DIM_COIL", ', b" " * 21))
    with pytest.raises(
        SpecimenError, match=r"With 5 dimensions .*dim_5.*every axis of coils and transients has a name"
    ):
        read_nifti_mrs(tmp_path / "a.nii", header_overrides=Header())


def test_echo_times_in_milliseconds_are_told_apart(tmp_path):
    path = saved(tmp_path / "a.nii.gz", ones(1, 1, 1, 8), te=30.0)
    with pytest.raises(SpecimenError, match=r"got te_ms = 30000, .*give te_ms = 30, if so"):
        read_nifti_mrs(path, header_overrides=Header())
    assert read_nifti_mrs(path, header_overrides=Header(te_ms=30.0)).acquisition.te_ms == 30


def test_other_nuclei_and_other_files_are_refused(tmp_path):
    with pytest.raises(SpecimenError, match="got a spectrum of 31P"):
        read_nifti_mrs(saved(tmp_path / "a.nii.gz", ones(1, 1, 1, 8), nucleus="31P"), header_overrides=Header())
    whole = (tmp_path / "a.nii.gz").read_bytes()
    for content in (b"", b"rubbish", whole[: len(whole) // 2]):
        (tmp_path / "b.nii.gz").write_bytes(content)
        with pytest.raises(SpecimenError, match=r"the spectrum cannot be read \(\w+\)"):
            read_raw(tmp_path / "b.nii.gz")


def test_a_header_that_claims_more_than_there_is_costs_nothing(tmp_path):
    """Once 37 GiB were asked for."""
    saved(tmp_path / "a.nii", ones(1, 1, 1, 8))
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[48:56] = (2**40).to_bytes(8, "little")  # dim[4] of NIfTI-2
    (tmp_path / "a.nii").write_bytes(content)
    with pytest.raises(SpecimenError, match="less data than its header declares"):
        read_nifti_mrs(tmp_path / "a.nii", header_overrides=Header())
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(bytes(2**28)))
    with pytest.raises(SpecimenError, match="the file holds more than"):
        read_nifti_mrs(tmp_path / "b.nii.gz", header_overrides=Header())


def test_an_image_is_recognised(tmp_path):
    nibabel.Nifti1Image(np.zeros((4, 4, 4), np.float32), np.eye(4)).to_filename(tmp_path / "a.nii.gz")
    with pytest.raises(SpecimenError, match="got a NIfTI image, wanted NIfTI-MRS"):
        read_nifti_mrs(tmp_path / "a.nii.gz", header_overrides=Header())

"""Mutants: whatever is done to the bytes of a file, its readers give a reading or an error of ours, soon and small."""

import io
import random
import resource
import time
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from hepatica.cohort import HepaticaError, SpecimenError
from hepatica.protocol import ModelIdentity
from hepatica.radiology.deidentify.deidentify import deidentify
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.nifti import write_nifti
from hepatica.radiology.dicom.scans import find_scans
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.masks.mask import read_mask
from hepatica.radiology.results.derived_images import segmentation
from hepatica.radiology.results.evidence import evidence_of

EACH = 24  # mutants of each kind of file
PLACE = Geometry(shape=(6, 40, 48), spacing=(5.0, 0.8, 0.7), origin=(-10.0, -12.0, 0.0))


def mutant(content: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, cut, repeated or overwritten by an extreme number."""
    bytes_ = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 8])):
        bytes_ = bytes_ or bytearray(1)
        at = min(int(len(bytes_) * chance.random() ** 2), len(bytes_) - 1)  # mostly in the header
        extreme = chance.choice([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\xff\x7f", b"9" * 8])
        what = chance.randrange(5)
        if what == 0:
            bytes_[at] = chance.randrange(256)
        elif what == 1:
            bytes_[at : at + len(extreme)] = extreme
        elif what == 2:
            del bytes_[at : at + chance.randrange(1, 200)]
        elif what == 3:
            bytes_[at:at] = bytes_[at : at + chance.randrange(1, 400)]
        else:
            bytes_ = bytes_[: max(at, 1)]
    return bytes(bytes_)


def dicom(ct, syntax=None):
    paths = ct.write(syntax=syntax)
    return paths[0], lambda: [each.read(regular=False) for each in find_scans(ct.folder).scans]


def deflated(ct):
    path, read = dicom(ct)
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(path)
    return path, read


def enhanced(ct):
    path = ct.write_enhanced(ct.body(), order=[3, 0, 5, 1, 4, 2])
    return path, lambda: [each.read(regular=False) for each in find_scans(ct.folder).scans]


def archive(ct):
    paths = ct.write()
    with zipfile.ZipFile(ct.folder / "study.zip", "w", zipfile.ZIP_DEFLATED) as made:
        for path in paths:
            made.write(path, path.name)
            path.unlink()
    return ct.folder / "study.zip", lambda: [each.read() for each in find_scans(ct.folder / "study.zip").scans]


def nifti(ct, name="v.nii.gz"):
    ct.folder.mkdir()
    path = ct.folder / name
    write_nifti(path, values=ct.body(), geometry=PLACE)
    return path, lambda: find_scans(path).scans[0].read()


def mask(ct):
    path, _ = nifti(ct)
    write_nifti(path, values=(ct.body() > 0).astype(np.uint8), geometry=PLACE)
    return path, lambda: read_mask(path, geometry=PLACE, only="liver")


def seg(ct):
    ct.write()
    (series,) = read_study(ct.folder).series
    model = ModelIdentity(system="HCCNet", version="1", digest="ab" * 32, doi="10.1038/s41416-021-01511-w", note="")
    path = ct.folder.parent / "seg.dcm"
    segmentation(ct.body() > 60, evidence=evidence_of(series), model=model).save_as(path, enforce_file_format=True)
    return path, lambda: read_mask(path, geometry=PLACE)


def picture(ct, kind="png"):
    ct.folder.mkdir()
    for k in range(3):
        Image.fromarray(np.random.default_rng(k).integers(0, 255, (40, 48), np.uint8)).save(ct.folder / f"{k}.{kind}")
    return ct.folder / f"0.{kind}", lambda: find_scans(ct.folder).scans[0].read()


def cleaned(ct):
    path, _ = dicom(ct)
    calls = iter(range(10**6))
    return path, lambda: deidentify(path, out=ct.folder.parent / f"out{next(calls)}")


KINDS = {
    "plain": dicom,
    "JPEG 2000": lambda ct: dicom(ct, JPEG2000Lossless),
    "JPEG-LS": lambda ct: dicom(ct, JPEGLSLossless),
    "RLE": lambda ct: dicom(ct, RLELossless),
    "deflated": deflated,
    "enhanced": enhanced,
    "zip": archive,
    "nii.gz": nifti,
    "nii": lambda ct: nifti(ct, "v.nii"),
    "mask": mask,
    "seg": seg,
    "png": picture,
    "jpg": lambda ct: picture(ct, "jpg"),
    "deidentify": cleaned,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore")  # of libraries about what they read; an exception is what counts
def test_a_mutant_is_read_or_refused_soon_and_in_little_memory(ct, kind):
    path, read = KINDS[kind](ct)
    content, chance = path.read_bytes(), random.Random(kind)
    read()
    before, slowest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0.0
    outcomes = {"read": 0, "refused": 0}
    for _ in range(EACH):
        path.write_bytes(mutant(content, chance))
        start = time.perf_counter()
        try:
            read()
            outcomes["read"] += 1
        except HepaticaError:
            outcomes["refused"] += 1
        slowest = max(slowest, time.perf_counter() - start)
    assert sum(outcomes.values()) == EACH
    assert slowest < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**20  # kB: 1 GiB


def refusal(path):
    with pytest.raises(SpecimenError) as caught:
        [each.read() for each in find_scans(path).scans]
    return str(caught.value)


def test_sequences_nested_without_end_are_refused(ct):
    ct.folder.mkdir()
    inner = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    plain = io.BytesIO()
    ct.dataset(ct.body()[0]).save_as(plain, enforce_file_format=True)
    begin = 144 + int.from_bytes(plain.getvalue()[140:144], "little")
    (ct.folder / "1.dcm").write_bytes(plain.getvalue()[:begin] + inner * 20_000)
    assert "cannot be read (" in refusal(ct.folder)


def test_a_picture_bomb_is_refused(tmp_path):
    Image.new("1", (8192, 8192)).save(tmp_path / "0.png")
    assert "8192 x 8192 pixels; leave it out" in refusal(tmp_path)


def test_many_large_pictures_are_refused_after_the_first(tmp_path):
    Image.new("1", (4000, 4000)).save(tmp_path / "0.png")
    for k in range(1, 20):
        (tmp_path / f"{k}.png").write_bytes(Path(tmp_path / "0.png").read_bytes())
    assert "2^28 pixels at most" in refusal(tmp_path)


def test_a_code_stream_larger_than_a_slice_is_refused(ct):
    for path in ct.write(syntax=JPEG2000Lossless):
        content = path.read_bytes()
        at = content.index(b"\xff\x51")
        path.write_bytes(content[: at + 6] + (60_000).to_bytes(4) * 2 + content[at + 14 :])
    assert "none of the 6 slices can be decoded" in refusal(ct.folder)


def test_an_archive_that_unpacks_to_nothing_but_zeros_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "study.zip", "w", zipfile.ZIP_DEFLATED) as made, made.open("a", "w") as member:
        for _ in range(260):
            member.write(bytes(2**20))
    assert "nearly empty and huge when unpacked" in refusal(tmp_path / "study.zip")


def test_a_deflated_bomb_is_refused(ct):
    ct.folder.mkdir()
    dataset = Dataset()
    dataset.file_meta = ct.dataset(ct.body()[0]).file_meta
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPClassUID, "1.2"
    dataset.Modality = "CT"
    dataset.add_new("PixelData", "OB", bytes(260 * 2**20))
    dataset.save_as(ct.folder / "1.dcm", enforce_file_format=True)
    assert "would unpack to more than 256 MiB" in refusal(ct.folder)

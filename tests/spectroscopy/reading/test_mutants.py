"""Mutants: whatever is done to a file of any format, its reader gives a spectrum or our own error, soon."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRSpectroscopyStorage, generate_uid

from hepatica.cohort import HepaticaError
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.basis.basis_file import read_basis, write_basis
from hepatica.spectroscopy.reading.coord import read_coord
from hepatica.spectroscopy.reading.nifti_mrs import write_nifti_mrs
from hepatica.spectroscopy.reading.read import read_spectrum
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.header import Header

SMALL = Acquisition(points=128)
MUTANTS, SECONDS = 30, 5.0
"""Of each file, and what one may take."""

ABSURD = (b"0", b"-1", b"1e308", b"nan", b"99999999999", b"\xff\xff\xff\x7f", b"\x00\x00", b"'", b"=", b"$", b"\n", b"")

COORD = """ 1 lines in following concentration table = NCONC+1
 Conc.  %SD /Cr  Metabolite
 1.0E+00 5% 1.0 Cr
 2 lines in following misc. output table
 FWHM = 0.05 ppm S/N = 20
 Data shift = 0.01 ppm Ph: 1 deg 0.1 deg/ppm
 4 points on ppm-axis = NY
 4.0 3.0 2.0 1.0
 NY phased data points follow
 1.0 2.0 3.0 4.0
 NY points of the fit to the data follow
 1.0 2.0 3.0 4.0
 NY background values follow
 1.0 2.0 3.0 4.0
 Cr Conc. = 1.0
 1.0 2.0 3.0 4.0
 lines in following table of input changes
 ppmst=4.0
"""


def vax(values: np.ndarray) -> bytes:
    """VAX F floats, whose exponent is 128 where IEEE's is 126, and whose words are exchanged."""
    bits = (values.astype("<f4").view("<u4") + np.uint32(2 << 23)).astype("<u4")
    return np.stack([bits >> 16, bits & 0xFFFF], axis=-1).astype("<u2").tobytes()


def spar(**changes: str) -> str:
    known = {
        "samples": "128", "rows": "1", "synthesizer_frequency": "127750896", "sample_frequency": "2000",
        "averages": "8", "echo_time": "35", "repetition_time": "2000", "nucleus": "1H", "scan_id": "PRESS",
    }  # fmt: skip
    return "".join(f"{name} : {value}\n" for name, value in (known | changes).items())


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory, decay) -> Path:
    """A small whole file of each format."""
    folder, fid = tmp_path_factory.mktemp("originals"), decay(SMALL, noise=1.0)
    write_nifti_mrs(folder / "a.nii", fids=fid, acquisition=SMALL)
    write_nifti_mrs(folder / "b.nii.gz", fids=fid, acquisition=SMALL)
    facts = {
        "TR": 2000, "TE": 30, "DwellTime": 500, "NumberOfAverages": 8, "MRFrequency": 127.74, "Nucleus": "1H",
        "MagneticFieldStrength": 3, "VectorSize": 128, "SequenceName": "svs_se",
    }  # fmt: skip
    head = "".join(f"{name}: {value}\r\n" for name, value in facts.items())
    text = f">>> Begin of header <<<\r\n{head}>>> End of header <<<\r\n"
    (folder / "c.rda").write_bytes(text.encode() + fid.conj().astype("<c16").tobytes())
    (folder / "d.sdat").write_bytes(vax(fid.view(float)))
    (folder / "d.spar").write_text(spar())
    lines = "".join(f"{value.real:15.6E}{-value.imag:15.6E}\n" for value in fid)
    head = "$SEQPAR HZPPPM=127.74 DELTAT=5E-4 ECHOT=35 SEQ='PRESS' $END\n$NMID ID='a' VOLUME=1 TRAMP=1 $END\n"
    (folder / "e.raw").write_text(head + lines)
    basis = Basis(names=("Cr", "Lac"), fids=np.stack([fid, 2 * fid]), acquisition=SMALL)
    for ending in ("basis", "txt", "nii"):
        write_basis(basis, path=folder / f"basis.{ending}")
    (folder / "f.coord").write_text(COORD)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = MRSpectroscopyStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.Manufacturer = "SIEMENS"
    pydicom.dcmwrite(folder / "g.dcm", dataset, enforce_file_format=True)
    scan = (1000).to_bytes(4, "little") + bytes(16) + (0).to_bytes(8, "little") + b"\x10\x00\x01\x00" + bytes(96 + 256)
    (folder / "h.dat").write_bytes((20_000).to_bytes(4, "little") + bytes(19_996) + 4 * scan)
    return folder


def mutants(content: bytes, rng: np.random.Generator) -> Iterator[bytes]:
    """Cut short, bytes changed, stretches lost, doubled or made zero, and absurd values written over others."""
    size = len(content)
    for number in range(MUTANTS):
        start, stop = sorted(rng.integers(0, size, 2).tolist())
        if number % 3:  # most of the time where the header is
            start, stop = start % 600, min(size, start % 600 + 1 + stop % 40)
        lost, other = content[start:stop], (bytes(stop - start), rng.bytes(stop - start), rng.choice(ABSURD))
        between = (b"", lost + lost, *other)[number % 5]
        yield content[:start] if number % 6 == 5 else content[:start] + between + content[stop:]


def read(path: Path) -> object:
    """By the front door of its kind."""
    if path.suffix == ".coord":
        return read_coord(path)
    if path.stem == "basis":
        return read_basis(path)
    return read_spectrum(path, header_overrides=Header())


NAMES = ("a.nii", "b.nii.gz", "c.rda", "d.sdat", "d.spar", "e.raw", "basis.basis", "basis.txt", "basis.nii", "f.coord")
FOREIGN = ("g.dcm", "h.dat")


@pytest.mark.parametrize("name", NAMES)
def test_the_originals_are_read(originals: Path, name: str) -> None:
    assert read(originals / name) is not None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pymapVBVD leaves files open
@pytest.mark.parametrize("name", [*NAMES, *FOREIGN])
def test_a_mutant_is_read_or_refused(originals: Path, tmp_path: Path, name: str) -> None:
    for partner in originals.glob(f"{name.partition('.')[0]}.*"):
        (tmp_path / partner.name).write_bytes(partner.read_bytes())
    content = (originals / name).read_bytes()
    for number, mutant in enumerate(mutants(content, np.random.default_rng(7))):
        (tmp_path / name).write_bytes(mutant)
        began = time.perf_counter()
        with suppress(HepaticaError):
            read(tmp_path / name)
        assert time.perf_counter() - began < SECONDS, number


HOSTILE = {
    "e.raw": b"$SEQPAR " + b"a" * 300_000 + b" $END\n$NMID " + b"b" * 300_000 + b" $END\n 1.0 2.0\n",
    "basis.basis": b"$A\n" * 100_000,
    "basis.txt": b"a: x" + b" " * 300_000 + b"y\nSignalNames: a\n",
    "f.coord": COORD.replace("1.0E+00 5% 1.0 Cr", "1 5% " + "1" * 300_000 + " x y").encode(),
}
"""Texts for which an expression without bounds takes minutes."""


@pytest.mark.parametrize("name", HOSTILE)
def test_work_grows_no_faster_than_the_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(HOSTILE[name])
    began = time.perf_counter()
    with suppress(HepaticaError):
        read(tmp_path / name)
    assert time.perf_counter() - began < SECONDS

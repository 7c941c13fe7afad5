"""Series reading: a CT series from files to Hounsfield units, ours against a pydicom loop and SimpleITK, in one run.

    .venv/bin/python benchmarks/series_reading.py

Writes SLICES axial slices of 512 x 512 (noise over a body; JPEG 2000 and plain) and prints one line a format: medians
of ROUNDS in seconds of wall-clock time and, in brackets, of processor time. All give equal values. The decoders of
JPEG 2000 in pydicom and SimpleITK start threads on every core; the loop is therefore also timed on one core.

The ceiling of JPEG 2000 is printed from one further run of each: what a reader would reach that spends nothing but the
decoder's own time, spread over CORES. Measured on two (busy) cores, in ms of processor time a slice, main thread and
others: ours 2 to 3 + 26 to 28, the loop 6 to 8 + 25 to 27, because gdcm decodes in threads of its own. So ours can take
15 to 17 ms, the loop 19 to 21, as the ratio of 1.37 measured before has it; with no work but decoding it would be 1.4
to 1.6. 1.8 would need a faster decoder: gdcm, pylibjpeg, Pillow and imagecodecs are all OpenJPEG (26 to 37 ms a slice;
29 where imagecodecs takes two threads for one), OpenJPH reads HTJ2K alone, and what is faster is proprietary (Kakadu),
AGPL (Grok) or needs a GPU.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEG2000Lossless, generate_uid

from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.dicom.volume import read_volume

SLICES, DISTINCT, ROUNDS = 240, 12, 3
SIDE = 512
CORES = len(os.sched_getaffinity(0))


def slices(*, compressed: bool) -> list[Dataset]:
    """A few slices, to be written many times: encoding is slow and not what is measured."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    inside = (x / 0.8) ** 2 + (y / 0.6) ** 2 < 1
    made = []
    for _ in range(DISTINCT):
        noisy = np.where(inside, 60 + 15 * rng.normal(size=inside.shape), -1000 + 5 * rng.normal(size=inside.shape))
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.SOPClassUID, dataset.Modality, dataset.SeriesInstanceUID = CTImageStorage, "CT", "1.2.3"
        dataset.PatientID, dataset.StudyInstanceUID, dataset.ImageType = "P", "1.2", ["ORIGINAL", "PRIMARY", "AXIAL"]
        dataset.ImageOrientationPatient, dataset.PixelSpacing = [1, 0, 0, 0, 1, 0], [0.7, 0.7]
        dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
        dataset.Rows = dataset.Columns = SIDE
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
        dataset.PixelData = (noisy + 1024).clip(0, 4095).astype(np.uint16).tobytes()
        if compressed:
            dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
        made.append(dataset)
    return made


def write(folder: Path, *, compressed: bool) -> None:
    """The series, 1 mm apart."""
    folder.mkdir()
    made = slices(compressed=compressed)
    for k in range(SLICES):
        dataset = made[k % DISTINCT]
        dataset.SOPInstanceUID, dataset.ImagePositionPatient = generate_uid(), [0.0, 0.0, float(k)]
        pydicom.dcmwrite(folder / f"{k:04}.dcm", dataset, enforce_file_format=True)


def ours(folder: Path) -> np.ndarray:
    """Headers, sorting, checks and pixels."""
    return read_volume(read_study(folder).axial()[0]).values


def loop(folder: Path) -> np.ndarray:
    """What a script does: read each file with pydicom, sort, rescale."""
    read = sorted((pydicom.dcmread(path) for path in folder.iterdir()), key=lambda each: each.ImagePositionPatient[2])
    each = [one.pixel_array.astype(np.float32) * one.RescaleSlope + one.RescaleIntercept for one in read]
    return np.stack(each)


def loop_on_one_core(folder: Path) -> np.ndarray:
    """The same where only one core may be used, by whatever threads the decoder starts."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        return loop(folder)
    finally:
        os.sched_setaffinity(0, cores)


def peer(folder: Path) -> np.ndarray:
    """SimpleITK's series reader."""
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return SimpleITK.GetArrayFromImage(reader.Execute()).astype(np.float32)


def seconds(call: Callable[[Path], np.ndarray], folder: Path) -> tuple[float, float, np.ndarray]:
    """Wall-clock time and processor time of one call, and what it gave."""
    wall, processor = time.perf_counter(), time.process_time()
    values = call(folder)
    return time.perf_counter() - wall, time.process_time() - processor, values


def compare(folder: Path, *, name: str) -> None:
    """Time all in turn, round by round, so that a busy machine troubles them alike."""
    ways = {"ours": ours, "pydicom loop": loop, "the loop on one core": loop_on_one_core, "SimpleITK": peer}
    walls: dict[str, list[float]] = {way: [] for way in ways}
    processors: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        found = []
        for way, call in ways.items():
            wall, processor, values = seconds(call, folder)
            walls[way].append(wall)
            processors[way].append(processor)
            found.append(values)
        if not all(np.array_equal(found[0], other) for other in found[1:]):
            raise SystemExit("disagreement: the readers give different values")
    times = ", ".join(
        f"{way} {statistics.median(walls[way]):.2f} s ({statistics.median(processors[way]):.2f} s)" for way in ways
    )
    own, *others = (statistics.median(walls[way]) for way in ways)
    ratios = ", ".join(f"to {way} {other / own:.2f}" for way, other in zip(list(ways)[1:], others, strict=True))
    print(f"{name}, {SLICES} slices: {times}; ratio {ratios}")


def ceiling(folder: Path) -> float:
    """The ratio to the loop of a reader that does nothing but decode, on CORES, by what either's threads work."""
    main, others = zip(*(shares(call, folder) for call in (ours, loop)), strict=True)
    return (main[1] + others[1] / CORES) / (others[0] / CORES)


def shares(call: Callable[[Path], np.ndarray], folder: Path) -> tuple[float, float]:
    """Seconds of processor time of one call: of the thread that calls, and of all others."""
    main, whole = time.thread_time(), time.process_time()
    call(folder)
    main, whole = time.thread_time() - main, time.process_time() - whole
    return main, whole - main


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        for label, squeezed in (("JPEG 2000", True), ("plain", False)):
            write(Path(made, label), compressed=squeezed)
            compare(Path(made, label), name=label)
            if squeezed:
                print(f"ceiling of the ratio to the pydicom loop: {ceiling(Path(made, label)):.2f}")

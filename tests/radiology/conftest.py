"""Fixtures: tiny CT series of a known body, whole or with every fault hospitals send, and where the real files are."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

from hepatica.radiology.liver.liver import LiverExtent

AXIAL = [1, 0, 0, 0, 1, 0]


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real files."""
    if "HEPATICA_DATA" not in os.environ:
        pytest.skip("HEPATICA_DATA is not set: no real files here")
    return Path(os.environ["HEPATICA_DATA"], "radiology")


def body(*, count=6, rows=40, columns=48) -> np.ndarray:
    """(z y x) int16 HU: air around an ellipse whose value tells slice, row and column apart (0 to about 200 HU)."""
    z, y, x = np.mgrid[:count, :rows, :columns]
    inside = ((x - columns / 2 + 0.5) / (columns / 3)) ** 2 + ((y - rows / 2 + 0.5) / (rows / 3)) ** 2 < 1
    return np.where(inside, 20 * z + 3 * y + x, -1000).astype(np.int16)


@dataclass
class SeriesMaker:
    """Writes CT series into `folder`, under names that mean nothing."""

    folder: Path
    body = staticmethod(body)

    @staticmethod
    def dataset(stored: np.ndarray, **tags) -> Dataset:
        """One CT slice: `stored` as it stands, tags over the usual ones; a tag of None is left out."""
        usual = {
            "SOPClassUID": CTImageStorage,
            "SOPInstanceUID": generate_uid(),
            "StudyInstanceUID": "1.2.3.4",
            "SeriesInstanceUID": "1.2.3.4.5",
            "FrameOfReferenceUID": "1.2.3.4.6",
            "PatientID": "SECRET-1",
            "PatientName": "Secret^Name",
            "Modality": "CT",
            "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
            "ImageOrientationPatient": AXIAL,
            "ImagePositionPatient": [-10.0, -12.0, 0.0],
            "PixelSpacing": [0.8, 0.7],
            "SliceThickness": 5,
            "RescaleSlope": 1,
            "RescaleIntercept": -1024,
            "PhotometricInterpretation": "MONOCHROME2",
            "SamplesPerPixel": 1,
            "Rows": stored.shape[-2],
            "Columns": stored.shape[-1],
            "BitsAllocated": 16,
            "BitsStored": 16,
            "HighBit": 15,
            "PixelRepresentation": int(np.issubdtype(stored.dtype, np.signedinteger)),
        }
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        for name, value in (usual | tags).items():
            if value is not None:
                setattr(dataset, name, value)
        dataset.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID") or CTImageStorage
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID") or generate_uid()
        dataset.PixelData = stored.tobytes()
        return dataset

    def save(self, dataset: Dataset) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{uuid4().hex}.dcm"
        pydicom.dcmwrite(path, dataset, enforce_file_format=True)
        return path

    def write(
        self, values=None, *, heights=None, change: Callable[[int, Dataset], None] | None = None, syntax=None, **tags
    ) -> list[Path]:
        """A series of `values` (HU), 5 mm apart or at `heights`; `change` may spoil single slices before writing."""
        values = body() if values is None else values
        heights = [5.0 * k for k in range(len(values))] if heights is None else heights
        paths = []
        for k, (image, height) in enumerate(zip(values, heights, strict=True)):
            stored = (image.astype(np.int32) + 1024).astype(np.uint16)
            dataset = self.dataset(stored, **{"ImagePositionPatient": [-10.0, -12.0, height]} | tags)
            if syntax is not None:
                dataset.compress(syntax, generate_instance_uid=False)
            if change is not None:
                change(k, dataset)
            paths.append(self.save(dataset))
        return paths

    def write_enhanced(self, values: np.ndarray, *, order) -> Path:
        """One multi-frame file of `values` (HU), its frames in `order`, places in the per-frame functional groups."""
        stored = (values[list(order)].astype(np.int32) + 1024).astype(np.uint16)
        plain = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness")
        off = dict.fromkeys((*plain, "RescaleSlope", "RescaleIntercept"))
        dataset = self.dataset(stored, SOPClassUID=EnhancedCTImageStorage, NumberOfFrames=len(stored), **off)
        measures, orientation, rescale = Dataset(), Dataset(), Dataset()
        measures.PixelSpacing, measures.SliceThickness = [0.8, 0.7], 5
        orientation.ImageOrientationPatient = AXIAL
        rescale.RescaleSlope, rescale.RescaleIntercept, rescale.RescaleType = 1, -1024, "HU"
        shared = Dataset()
        shared.PixelMeasuresSequence = [measures]
        shared.PlaneOrientationSequence = [orientation]
        shared.PixelValueTransformationSequence = [rescale]
        dataset.SharedFunctionalGroupsSequence = [shared]
        groups = []
        for k in order:
            place, group = Dataset(), Dataset()
            place.ImagePositionPatient = [-10.0, -12.0, 5.0 * k]
            group.PlanePositionSequence = [place]
            groups.append(group)
        dataset.PerFrameFunctionalGroupsSequence = groups
        return self.save(dataset)


class MrMaker(SeriesMaker):
    """Writes MR series: signal is the HU of CT + 1024, so that air is 24."""

    @staticmethod
    def dataset(stored: np.ndarray, **tags) -> Dataset:
        """One MR slice; a tag that CT alone has is left out."""
        usual = {
            "SOPClassUID": MRImageStorage,
            "Modality": "MR",
            "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
            "EchoTime": 2.3,
            "RescaleSlope": None,
            "RescaleIntercept": None,
        }
        return SeriesMaker.dataset(stored, **usual | tags)


@pytest.fixture
def mr(tmp_path) -> MrMaker:
    return MrMaker(tmp_path / "mr")


@pytest.fixture
def ct(tmp_path) -> SeriesMaker:
    return SeriesMaker(tmp_path / "study")


@pytest.fixture
def all_liver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every slice is of the liver, also in bodies that have none."""

    def every(volume, **_):
        return LiverExtent(first=0, last=len(volume.values) - 1, source="estimate", confidence=1.0)

    monkeypatch.setattr("hepatica.radiology.slices.liver_extent", every)

"""Contours: regions of an RT Structure Set filled on the slices they were drawn on, holes left out."""

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

from hepatica.cohort import SpecimenError
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.masks.mask import open_mask, read_mask

PLACE = Geometry(shape=(5, 40, 48), spacing=(5.0, 0.8, 0.7), origin=(-10.0, -12.0, 3.0))


def circle(radius, *, centre=(24, 20), count=400):
    """Points (n 2) along x and y, in voxels."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.column_stack([centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)])


def structures(path, regions, *, kind="CLOSED_PLANAR", codes=None):
    """An RTSTRUCT of `regions`: by name, (slice, points) of each contour."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = RTStructureSetStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid()
    dataset.Modality = "RTSTRUCT"
    dataset.StructureSetROISequence, dataset.ROIContourSequence, dataset.RTROIObservationsSequence = [], [], []
    for number, (name, outlines) in enumerate(regions.items(), start=1):
        region, contours, observed = Dataset(), Dataset(), Dataset()
        region.ROINumber, region.ROIName = number, name
        contours.ReferencedROINumber = observed.ReferencedROINumber = number
        contours.ContourSequence = [_contour(k, points, kind=kind) for k, points in outlines]
        if codes and name in codes:
            code = Dataset()
            code.CodeValue, code.CodingSchemeDesignator = codes[name]
            observed.RTROIIdentificationCodeSequence = [code]
        dataset.StructureSetROISequence.append(region)
        dataset.ROIContourSequence.append(contours)
        dataset.RTROIObservationsSequence.append(observed)
    dataset.save_as(path, enforce_file_format=True)
    return path


def _contour(k, points, *, kind):
    one = Dataset()
    index = np.column_stack([points, np.full(len(points), k), np.ones(len(points))])
    places = (index @ PLACE.lps.T)[:, :3]
    one.ContourGeometricType, one.NumberOfContourPoints = kind, len(points)
    one.ContourData = [f"{each:.6f}" for each in places.ravel()]
    return one


def test_a_region_is_what_its_contours_enclose(tmp_path):
    path = structures(tmp_path / "rt.dcm", {"HCC": [(1, circle(8)), (2, circle(10)), (3, circle(8))]})
    marked = read_mask(path, geometry=PLACE)
    y, x = np.mgrid[:40, :48]
    for k, radius in ((1, 8), (2, 10), (3, 8)):
        away = np.hypot(x - 24, y - 20)
        clear = np.abs(away - radius) > 0.01
        assert np.array_equal(marked[k][clear], (away < radius)[clear])
    assert marked.any(axis=(1, 2)).tolist() == [False, True, True, True, False]


def test_a_contour_within_another_is_a_hole_and_one_beside_it_is_not(tmp_path):
    outlines = [(2, circle(10)), (2, circle(4)), (2, circle(3, centre=(40, 20)))]
    marked = read_mask(structures(tmp_path / "rt.dcm", {"HCC": outlines}), geometry=PLACE)[2]
    assert not marked[20, 24]
    assert marked[20, 31]
    assert marked[20, 40]
    assert marked.sum() == pytest.approx(np.pi * (100 - 16 + 9), rel=0.03)


def test_slices_between_sparse_contours_are_filled_and_those_beyond_are_not(tmp_path):
    path = structures(tmp_path / "rt.dcm", {"HCC": [(0, circle(6)), (2, circle(9))]})
    areas = read_mask(path, geometry=PLACE).sum(axis=(1, 2))
    assert areas[1] in (areas[0], areas[2])
    assert areas[2] > areas[0] > 0
    assert areas[3:].tolist() == [areas[2], 0]


@pytest.mark.parametrize(("name", "codes"), [("LIVER", None), ("Organ", {"Organ": ("10200004", "SCT")})])
def test_regions_are_taken_by_number_and_the_liver_by_name_or_code(tmp_path, name, codes):
    path = structures(tmp_path / "rt.dcm", {"HCC": [(2, circle(3.4))], name: [(2, circle(12.4))]}, codes=codes)
    assert open_mask(path, geometry=PLACE).names == {1: "HCC", 2: name}
    assert read_mask(path, geometry=PLACE, only=[1]).sum() == pytest.approx(np.pi * 3.4**2, rel=0.1)
    assert read_mask(path, geometry=PLACE, only="liver").sum() == pytest.approx(np.pi * 12.4**2, rel=0.03)
    with pytest.raises(SpecimenError, match=r"the RTSTRUCT has no region \[7\]"):
        read_mask(path, geometry=PLACE, only=[7])


def test_open_contours_mark_nothing_and_oblique_ones_are_refused(tmp_path):
    path = structures(tmp_path / "rt.dcm", {"line": [(2, circle(6))]}, kind="OPEN_PLANAR")
    assert not read_mask(path, geometry=PLACE).any()
    path = structures(tmp_path / "rt.dcm", {"HCC": [(np.linspace(0, 3, 400), circle(6))]})
    with pytest.raises(SpecimenError, match="not in the planes of the series"):
        read_mask(path, geometry=PLACE)

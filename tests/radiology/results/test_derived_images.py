"""Secondary capture: the picture itself, upright, of a known slice."""

import subprocess

import highdicom as hd
import nibabel
import numpy as np
import pydicom
import pytest

from hepatica.cohort.errors import SpecimenError
from hepatica.protocol import ModelIdentity
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.dicom.stack import upright
from hepatica.radiology.masks.mask import outlined, read_mask
from hepatica.radiology.results.derived_images import parametric_map, secondary_capture, segmentation
from hepatica.radiology.results.evidence import evidence_of

MODEL = ModelIdentity(system="HCCNet", version="1", digest="ab" * 32, doi="10.1038/s41416-021-01511-w", note="")
PICTURE = np.random.default_rng(0).integers(0, 256, (30, 41, 3), dtype=np.uint8)


def evidence(*paths):
    (series,) = read_study(*paths).series
    return evidence_of(series)


def test_the_picture_comes_back_to_the_bit(ct):
    ct.write()
    made = secondary_capture(PICTURE, index=2, number=3, evidence=evidence(ct.folder), model=MODEL)
    assert np.array_equal(made.pixel_array, PICTURE)
    assert (made.PatientID, made.InstanceNumber, list(made.PatientOrientation)) == ("SECRET-1", 3, ["L", "P"])
    assert made.ImageComments == "Slice 3 of 6 from the feet"


def test_it_refers_to_the_slice_it_shows(ct):
    ct.write()
    own = evidence(ct.folder)
    made = secondary_capture(PICTURE, index=2, number=1, evidence=own, model=MODEL)
    assert made.SourceImageSequence[0].ReferencedSOPInstanceUID == own.slices[2].SOPInstanceUID


def test_it_refers_to_the_frame_it_shows(ct):
    ct.write_enhanced(ct.body(), order=[3, 0, 5, 1, 4, 2])
    own = evidence(ct.folder)
    (source,) = secondary_capture(PICTURE, index=2, number=1, evidence=own, model=MODEL).SourceImageSequence
    assert source.ReferencedSOPInstanceUID == own.files[0].SOPInstanceUID
    assert source.ReferencedFrameNumber == 6


def test_an_interpolated_slice_refers_to_no_file(ct):
    ct.write(ct.body(count=5), heights=[0, 5, 15, 20, 25])
    made = secondary_capture(PICTURE, index=2, number=1, evidence=evidence(ct.folder), model=MODEL)
    assert "SourceImageSequence" not in made


@pytest.mark.parametrize("wrong", [PICTURE[..., 0], PICTURE.astype(float), np.zeros((4, 4, 4), np.uint8)])
def test_what_is_no_colour_picture_is_refused(ct, wrong):
    ct.write()
    with pytest.raises(SpecimenError, match="uint8"):
        secondary_capture(wrong, index=2, number=1, evidence=evidence(ct.folder), model=MODEL)


@pytest.mark.parametrize("index", [-1, 6])
def test_slices_that_are_none_are_refused(ct, index):
    ct.write()
    with pytest.raises(SpecimenError, match="wanted 0 to 5"):
        secondary_capture(PICTURE, index=index, number=1, evidence=evidence(ct.folder), model=MODEL)


def region(shape, *, slices=slice(1, 4)) -> np.ndarray:
    flagged = np.zeros(shape, bool)
    flagged[slices, 5:9, 3:20] = True
    flagged[slices, 5, 3] = False  # no symmetry
    return flagged


def at_places(made) -> dict[float, np.ndarray]:
    """Frame by height, as another reader sees it."""
    groups = made.PerFrameFunctionalGroupsSequence
    frames = made.pixel_array.reshape(-1, made.Rows, made.Columns)
    heights = [float(each.PlanePositionSequence[0].ImagePositionPatient[2]) for each in groups]
    return dict(zip(heights, frames.astype(bool), strict=True))


@pytest.mark.parametrize("orientation", [[1, 0, 0, 0, 1, 0], [-1, 0, 0, 0, 1, 0], [-1, 0, 0, 0, -1, 0]])
def test_the_region_on_the_files_grid_is_the_mask(ct, orientation):
    ct.write(ImageOrientationPatient=orientation)
    own = evidence(ct.folder)
    flagged = region(own.series.geometry.shape)
    made = segmentation(flagged, evidence=own, model=MODEL)
    frames = at_places(made)
    assert sorted(frames) == [5, 10, 15]
    for height, frame in frames.items():
        assert np.array_equal(upright(frame, own.series.headers[0]), flagged[int(height / 5)])
    shared = made.SharedFunctionalGroupsSequence[0]
    assert list(shared.PlaneOrientationSequence[0].ImageOrientationPatient) == orientation
    assert list(shared.PixelMeasuresSequence[0].PixelSpacing) == [0.8, 0.7]


def test_highdicom_reads_the_mask_by_the_source_files_in_any_order(ct):
    ct.write()
    own = evidence(ct.folder)
    flagged = region(own.series.geometry.shape)
    made = hd.seg.Segmentation.from_dataset(segmentation(flagged, evidence=own, model=MODEL))
    uids = [each.SOPInstanceUID for each in own.slices][::-1]
    read = made.get_pixels_by_source_instance(uids, assert_missing_frames_are_empty=True)
    assert np.array_equal(read[..., 0].astype(bool), flagged[::-1])


def test_every_frame_names_the_frame_of_the_enhanced_file_it_lies_on(ct):
    order = [3, 0, 5, 1, 4, 2]
    ct.write_enhanced(ct.body(), order=order)
    own = evidence(ct.folder)
    made = segmentation(region(own.series.geometry.shape), evidence=own, model=MODEL)
    (file,) = own.files
    for group in made.PerFrameFunctionalGroupsSequence:
        height = float(group.PlanePositionSequence[0].ImagePositionPatient[2])
        (source,) = group.DerivationImageSequence[0].SourceImageSequence
        assert source.ReferencedSOPInstanceUID == file.SOPInstanceUID
        assert source.ReferencedSOPClassUID == file.SOPClassUID
        assert order[source.ReferencedFrameNumber - 1] == height / 5
    (series,) = made.ReferencedSeriesSequence
    assert [each.ReferencedSOPInstanceUID for each in series.ReferencedInstanceSequence] == [file.SOPInstanceUID]


def test_an_interpolated_slice_is_flagged_where_it_lies(ct):
    ct.write(ct.body(count=5), heights=[0, 5, 15, 20, 25])
    own = evidence(ct.folder)
    flagged = region(own.series.geometry.shape)
    frames = at_places(segmentation(flagged, evidence=own, model=MODEL))
    assert sorted(frames) == [5, 10, 15]
    assert np.array_equal(frames[10], flagged[2])


NEGATED = ([1, 0, 0, 0, 1, 0], [-1, 0, 0, 0, -1, 0], [1, 0, 0, 0, -1, 0], [0, -1, 0, 1, 0, 0], [0, 1, 0, -1, 0, 0])


@pytest.mark.parametrize("orientation", NEGATED)
@pytest.mark.parametrize("slices", [[0, 3], [1, 5], [2], slice(1, 4)])
def test_a_region_on_a_few_slices_is_read_back_voxel_by_voxel(ct, tmp_path, orientation, slices):
    """Another reader's regular grid between the flagged slices would mark what lies between them."""
    ct.write(ImageOrientationPatient=orientation)
    own = evidence(ct.folder)
    flagged = region(own.series.geometry.shape, slices=slices)
    made = segmentation(flagged, evidence=own, model=MODEL)
    made.save_as(tmp_path / "seg.dcm", enforce_file_format=True)
    assert np.array_equal(read_mask(tmp_path / "seg.dcm", geometry=own.series.geometry), flagged)
    assert made.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices == 5
    del made.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices
    made.save_as(tmp_path / "silent.dcm", enforce_file_format=True)
    assert np.array_equal(read_mask(tmp_path / "silent.dcm", geometry=own.series.geometry), flagged)


def test_frames_thicker_than_their_distance_are_placed_by_the_volume(ct, tmp_path):
    ct.write(SliceThickness=7.5)
    own = evidence(ct.folder)
    flagged = region(own.series.geometry.shape, slices=[0, 2, 5])
    made = segmentation(flagged, evidence=own, model=MODEL)
    del made.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices
    made.save_as(tmp_path / "seg.dcm", enforce_file_format=True)
    assert np.array_equal(read_mask(tmp_path / "seg.dcm", geometry=own.series.geometry), flagged)


def test_what_the_network_looked_at_is_not_called_a_lesion(ct):
    ct.write()
    own = evidence(ct.folder)
    (segment,) = segmentation(region(own.series.geometry.shape), evidence=own, model=MODEL).SegmentSequence
    kinds = [segment.SegmentedPropertyCategoryCodeSequence[0], segment.SegmentedPropertyTypeCodeSequence[0]]
    assert [each.CodeMeaning for each in kinds] == ["Spatial and Relational Concept", "Selected region"]


@pytest.mark.usefixtures("dciodvfy")
def test_dciodvfy_finds_no_error_in_a_region_on_a_few_slices(ct, tmp_path):
    ct.write()
    own = evidence(ct.folder)
    made = segmentation(region(own.series.geometry.shape, slices=[0, 3]), evidence=own, model=MODEL)
    made.save_as(tmp_path / "seg.dcm", enforce_file_format=True)
    said = subprocess.run(["dciodvfy", tmp_path / "seg.dcm"], capture_output=True, text=True, check=False).stderr
    assert "Segmentation" in said
    assert "Error" not in said


def test_nothing_flagged_is_no_segmentation(ct):
    ct.write()
    own = evidence(ct.folder)
    assert segmentation(np.zeros(own.series.geometry.shape, bool), evidence=own, model=MODEL) is None


def test_liver_and_lesions_are_segments_that_may_overlap(ct, tmp_path):
    ct.write()
    own = evidence(ct.folder)
    liver = region(own.series.geometry.shape)
    lesions = liver.copy()
    lesions[:, :, 10:] = False
    made = segmentation({"liver": liver, "lesions": lesions}, evidence=own, model=MODEL)
    assert [each.SegmentLabel for each in made.SegmentSequence] == ["Liver", "Lesions"]
    made.save_as(tmp_path / "seg.dcm")
    found = outlined(tmp_path / "seg.dcm", geometry=own.series.geometry)
    np.testing.assert_array_equal(found, liver.astype(np.uint8) + lesions)
    alone = segmentation({"liver": liver, "lesions": np.zeros_like(liver)}, evidence=own, model=MODEL)
    assert [each.SegmentLabel for each in alone.SegmentSequence] == ["Liver"]


def test_it_says_which_algorithm_and_carries_study_and_frame_of_reference(ct):
    ct.write()
    own = evidence(ct.folder)
    made = segmentation(region(own.series.geometry.shape), evidence=own, model=MODEL)
    (algorithm,) = made.SegmentSequence[0].SegmentationAlgorithmIdentificationSequence
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("HCCNet", "1")
    assert MODEL.digest in algorithm.AlgorithmParameters
    assert made.PatientID == "SECRET-1"
    assert (made.StudyInstanceUID, made.FrameOfReferenceUID) == ("1.2.3.4", "1.2.3.4.6")
    assert made.SeriesInstanceUID != "1.2.3.4.5"


def test_the_liver_of_a_real_series_is_found_through_its_own_files(real):
    folder = real / "totalsegmentator"
    own = evidence(folder / "dicom")
    labels = np.asarray(nibabel.load(folder / "example_seg_dicom.nii.gz").dataobj)
    liver = np.rot90(labels == 5).transpose(2, 0, 1)  # as the files' README says
    frames = at_places(segmentation(liver, evidence=own, model=MODEL))
    values = []
    for path in (folder / "dicom").iterdir():
        image = pydicom.dcmread(path)
        inside = frames[float(image.ImagePositionPatient[2])]
        values.append(image.pixel_array[inside] * float(image.RescaleSlope) + float(image.RescaleIntercept))
    found = np.concatenate(values)
    assert len(found) == 366708
    assert (found.mean(), found.std()) == (pytest.approx(89, abs=1), pytest.approx(22, abs=1))


@pytest.mark.parametrize("orientation", [[1, 0, 0, 0, 1, 0], [-1, 0, 0, 0, -1, 0]])
def test_values_come_back_to_the_bit_on_the_slices_that_have_any(ct, orientation):
    ct.write(ImageOrientationPatient=orientation)
    own = evidence(ct.folder)
    saliency = np.zeros(own.series.geometry.shape, np.float32)
    saliency[[1, 4]] = np.random.default_rng(0).random((2, *saliency.shape[1:]), dtype=np.float32)
    made = parametric_map(saliency, evidence=own, model=MODEL)
    values = np.frombuffer(made.FloatPixelData, "<f4").reshape(-1, made.Rows, made.Columns)
    heights = [
        float(each.PlanePositionSequence[0].ImagePositionPatient[2]) for each in made.PerFrameFunctionalGroupsSequence
    ]
    assert sorted(heights) == [5, 20]
    for height, frame in zip(heights, values, strict=True):
        assert np.array_equal(upright(frame, own.series.headers[0]), saliency[int(height / 5)])


def test_it_says_that_it_is_saliency(ct):
    ct.write()
    own = evidence(ct.folder)
    made = parametric_map(np.full(own.series.geometry.shape, 0.5), evidence=own, model=MODEL)
    (mapping,) = made.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence
    assert mapping.QuantityDefinitionSequence[0].ConceptCodeSequence[0].CodeValue == "130404"  # PS3.16: Saliency
    assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == "1"


@pytest.mark.parametrize("wrong", [-0.1, 1.1, np.nan])
def test_what_is_no_share_is_refused(ct, wrong):
    ct.write()
    own = evidence(ct.folder)
    with pytest.raises(SpecimenError, match="0 to 1"):
        parametric_map(np.full(own.series.geometry.shape, wrong, np.float32), evidence=own, model=MODEL)


def test_no_saliency_is_no_map(ct):
    ct.write()
    own = evidence(ct.folder)
    assert parametric_map(np.zeros(own.series.geometry.shape), evidence=own, model=MODEL) is None

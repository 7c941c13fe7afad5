"""Stack: slices in the order of the body, and why some make no volume."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort import SpecimenError
from hepatica.radiology.dicom.header import MOMENTS, Header
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.dicom.sources import Identity, Source
from hepatica.radiology.dicom.stack import as_stored, pile
from hepatica.radiology.dicom.volume import read_volume


def header(height, *, frame=0, across=0.0, orientation=(1, 0, 0, 0, 1, 0), spacing=(0.8, 0.7), back=-12.0):
    return Header(
        source=Source(path="slice"),
        frame=frame,
        patient=Identity(patient_id="P", issuer="", name="", born="", study=""),
        series=("S",),
        number="1",
        instance=str(frame),
        description="",
        moments=("",) * len(MOMENTS),
        kind=("ORIGINAL", "PRIMARY", "AXIAL"),
        kernel="",
        transfer_syntax="",
        photometric="MONOCHROME2",
        position=(across - 10.0, back, height),
        orientation=orientation,
        spacing=spacing,
        thickness=5.0,
        shape=(20, 24),
        slope=1.0,
        intercept=-1024.0,
        padding=None,
        signed=False,
        bits=12,
    )


@settings(deadline=None, max_examples=25)
@given(st.permutations(range(7)), st.floats(0.5, 10), st.floats(-500, 500))
def test_any_order_gives_the_same_stack(order, step, foot):
    whole = [header(foot + step * k, frame=k) for k in range(7)]
    stack = pile([whole[k] for k in order])
    assert stack == pile(whole)
    assert [each.frame for each in stack.headers] == list(range(7))
    assert stack.geometry.spacing[0] == pytest.approx(step)
    assert stack.grid == pytest.approx([foot + step * k for k in range(7)])


def test_a_missing_slice_is_told_and_its_place_kept(ct):
    values = ct.body()
    ct.write(np.delete(values, 3, axis=0), heights=[0, 5, 10, 20, 25])
    (series,) = read_study(ct.folder).series
    assert series.notes == (
        "slices are missing (distances from 5 to 10 mm): 1 of 6 slices are interpolated from their neighbours",
    )
    volume = read_volume(series)
    assert volume.measured.tolist() == [True, True, True, False, True, True]
    assert np.array_equal(volume.values, values)  # the body grows linearly from slice to slice
    assert volume.geometry.spacing[0] == 5


def test_uneven_spacing_is_noted():
    stack = pile([header(each, frame=k) for k, each in enumerate([0, 5, 10, 15, 22, 25, 30, 35])])
    assert stack.made == 1
    assert stack.notes[0].startswith("the slices are unevenly spaced (distances from 3 to 7 mm): 1 of 8")


def test_a_jitter_of_a_tenth_of_the_distance_is_no_fault():
    assert pile([header(each, frame=k) for k, each in enumerate([0, 5.2, 9.9, 15])]).notes == ()


@pytest.mark.parametrize("step", [1.25, 0.625, 0.75, 3.75])
def test_positions_rounded_to_a_tenth_are_no_gaps(step):
    stack = pile([header(round(step * k + 1e-6, 1)) for k in range(20)])
    assert (stack.made, stack.notes, stack.geometry.shape[0]) == (0, (), 20)
    assert stack.geometry.spacing[0] == pytest.approx(step, rel=0.003)


def test_a_series_of_mostly_gaps_is_read_slice_by_slice_but_makes_no_volume(ct):
    heights, values = [0, 8, 16, 24, 26, 28, 30], ct.body(count=7)
    ct.write(values, heights=heights)
    (series,) = read_study(ct.folder).series
    with pytest.raises(SpecimenError, match="9 of 16 slices of the regular grid are missing"):
        read_volume(series)
    volume = read_volume(series, regular=False)
    assert np.array_equal(volume.values[volume.measured], values)
    assert volume.heights[volume.measured] == pytest.approx(heights)


def test_slices_of_no_common_distance_each_have_their_own_height(ct):
    heights = [0, 3.1, 10.2, 12.9, 20.4, 22]
    ct.write(heights=heights)
    (series,) = read_study(ct.folder).series
    volume = read_volume(series, regular=False)
    assert np.array_equal(volume.values[volume.measured], ct.body())
    assert volume.heights[volume.measured] == pytest.approx(heights)


@pytest.mark.parametrize("far", [1e5, -9e4])
def test_a_slice_said_to_lie_far_away_costs_nothing(far):
    with pytest.raises(SpecimenError, match="mm apart"):
        pile([header(each) for each in (0, 5, 10, 15, far)])


def test_an_odd_slice_between_the_others_is_left_out_with_a_note():
    stack = pile([header(each) for each in (*range(0, 50, 5), 12)])
    assert stack.notes == ("1 slices between the others are left out",)
    assert stack.positions == pytest.approx(range(0, 50, 5))


def test_three_slices_are_a_series_and_so_is_one():
    assert pile([header(5.0 * k) for k in range(3)]).geometry.shape == (3, 20, 24)
    assert pile([header(0)]).geometry.spacing == (5.0, 0.8, 0.7)
    assert pile([header(0)]).notes == ("a single slice",)


def test_another_pixel_spacing_in_one_slice_refuses_the_series_by_that_slice():
    odd = [header(5.0 * k, spacing=(0.9, 0.9) if k == 2 else (0.8, 0.7)) for k in range(6)]
    with pytest.raises(
        SpecimenError, match=r"slice 3 of 6 from the feet has .* 0.9 x 0.9 mm, the others .* 0.8 x 0.7 mm"
    ):
        pile(odd)


def test_a_tilted_gantry_is_refused_with_its_angle():
    angle = np.radians(12)
    tilted = (1, 0, 0, 0, np.cos(angle), -np.sin(angle))  # slices lean, the table still moves along z
    with pytest.raises(SpecimenError, match=r"gantry was tilted.* 12\.0 degrees"):
        pile([header(5.0 * k, orientation=tilted) for k in range(6)])


def test_a_straight_stack_that_leans_a_little_is_read():
    angle = np.radians(12)
    tilted = (1, 0, 0, 0, np.cos(angle), -np.sin(angle))
    leaning = [
        header(5 * k * np.cos(angle), orientation=tilted, back=-12 + 5 * k * np.sin(angle), frame=k) for k in range(6)
    ]
    assert pile(leaning).geometry.spacing[0] == pytest.approx(5)


@pytest.mark.parametrize(
    "orientation",
    [(0, 1, 0, 0, 0, -1), (1, 0, 0, 0, 0, -1), (0.8, 0.6, 0, -0.6, 0.8, 0)],
    ids=["sagittal", "coronal", "turned"],
)
def test_what_is_not_axial_is_refused(orientation):
    with pytest.raises(SpecimenError, match=r"not axial|37 degrees off the body's sides"):
        pile([header(5.0 * k, across=5.0 * k, orientation=orientation) for k in range(4)])


def test_mixed_orientation_is_refused():
    with pytest.raises(SpecimenError, match="different orientation"):
        pile([header(0), header(5), header(10, orientation=(1, 0, 0, 0, 0, -1))])


def test_slices_shifted_sideways_are_refused():
    with pytest.raises(SpecimenError, match="shifted sideways"):
        pile([header(5.0 * k, across=30.0 * (k == 2)) for k in range(5)])


def turned_about(values, rows, columns):
    """The same voxels stored with rows and columns in these directions (x y), and where the first pixel then lies."""
    on_side = rows[0] == 0
    stored = np.swapaxes(values, 1, 2) if on_side else values
    across, down = (columns, rows) if on_side else (rows, columns)  # the one along x, and along y
    flips = [1 if on_side else 2, 2 if on_side else 1]
    for axis, sign in zip(flips, (across[0], down[1]), strict=True):
        stored = np.flip(stored, axis) if sign < 0 else stored
    return stored, [-10.0 + (0.7 * 47 if across[0] < 0 else 0), -12.0 + (0.8 * 39 if down[1] < 0 else 0)]


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (rows, columns)
        for one in ((1, 0), (-1, 0))
        for other in ((0, 1), (0, -1))
        for rows, columns in ((one, other), (other, one))
    ],
)
def test_slices_stored_mirrored_prone_or_on_a_side_are_turned_upright_and_back(ct, rows, columns):
    """The same voxels, stored from any side: the volume must not change, nor where it lies."""
    ct.write()
    (usual,) = read_study(ct.folder).series
    for path in ct.folder.iterdir():
        path.unlink()
    stored, start = turned_about(ct.body(), rows, columns)
    ct.write(
        stored,
        ImageOrientationPatient=[*rows, 0, *columns, 0],
        PixelSpacing=[0.7, 0.8] if rows[0] == 0 else [0.8, 0.7],
        change=lambda k, each: setattr(each, "ImagePositionPatient", [*start, 5.0 * k]),
    )
    (series,) = read_study(ct.folder).series
    assert series.geometry.agrees(usual.geometry, tolerance=1e-6)
    assert np.array_equal(read_volume(series).values, ct.body())
    assert np.array_equal(as_stored(ct.body()[2], series.headers[0]), stored[2])

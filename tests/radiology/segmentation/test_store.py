"""Store: slices with those around them, slabs beyond the ends, outlines on a coarser grid."""

from dataclasses import replace

import numpy as np
from ct_balls import PLACE, balls

from hepatica.radiology.dicom.nifti import write_nifti
from hepatica.radiology.masks.mask import LABELS
from hepatica.radiology.segmentation.room import prepare
from hepatica.radiology.segmentation.store import coarser


def test_slices_come_with_their_neighbours_as_shades(store, settings) -> None:
    values, _ = balls(lesions=[])
    found = store.read(np.array([0, 7]))
    assert found.shape == (2, *PLACE.shape[1:], 3)
    black, white = settings.hu
    expected = np.clip((values["arterial"].astype(float) - black) / (white - black), 0, 1)
    away = np.s_[:4]  # rows without a ball
    np.testing.assert_allclose(found[0, away, :, 0], expected[0, away], atol=1e-6)  # below the lowest: itself
    np.testing.assert_allclose(found[1, away, :, 2], expected[8, away], atol=1e-6)


def test_a_study_without_outlines_is_read(store) -> None:
    assert store.specimens["outlined"].tolist() == [True, True, False]
    assert set(np.unique(store.part("S1", "mask")[:])) == {0, 1, 2}
    centres = store.part("S1", "centres_lesions")[:]
    assert (store.part("S1", "mask")[:][tuple(centres.T)] == LABELS["lesions"]).all()


def test_mr_is_read_on_the_scale_of_its_body(outlined_cohort, settings, tmp_path) -> None:
    values, labels = balls(lesions=[("hcc", (0.0, 0.0, 130.0), 20.0)])
    write_nifti(tmp_path / "mr.nii.gz", values=(values["arterial"] + 1000).astype(np.int16), geometry=PLACE)
    write_nifti(tmp_path / "mask.nii.gz", values=(1 + labels).astype(np.uint8), geometry=PLACE)
    one = replace(
        outlined_cohort.specimens[0], modality="mr", path=tmp_path / "mr.nii.gz",
        attachments={"mask": tmp_path / "mask.nii.gz"},
    )  # fmt: skip
    store = prepare(replace(outlined_cohort, specimens=(one,)), settings, tmp_path / "store", kind="mr")
    shades = store.slab("S1", 0, PLACE.shape[0])
    assert 0 <= shades.min() < shades.max() <= 1
    assert np.median(shades[labels == 1]) > np.median(shades[labels == 0])
    assert store.specimens["units"].item() == "signal"


def test_a_coarser_grid_covers_the_same_box(outlined_cohort, settings, tmp_path) -> None:
    grid = coarser(PLACE, (8.0, 3.0, 3.0))
    assert grid.shape == (8, 24, 28)
    for lps, shape in ((PLACE.lps, PLACE.shape), (grid.lps, grid.shape)):
        np.testing.assert_allclose((lps @ [-0.5, -0.5, -0.5, 1])[:3], (-40.75, -35.75, 98), err_msg=str(shape))
    store = prepare(outlined_cohort, replace(settings, voxel_mm=(8.0, 3.0, 3.0)), tmp_path)
    ml = [np.count_nonzero(part) * np.prod(spacing) / 1000 for part, spacing in (
        (store.part("S1", "mask")[:] == 2, store.grid("S1").spacing),
        (balls(lesions=[("hcc", (0.0, 0.0, 130.0), 20.0), ("cyst", (-18.0, 10.0, 125.0), 10.0)])[1] > 0, PLACE.spacing),
    )]  # fmt: skip
    assert abs(ml[0] / ml[1] - 1) < 0.3
    assert store.own_grid("S1").agrees(PLACE)

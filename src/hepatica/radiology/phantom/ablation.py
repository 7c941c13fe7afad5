"""Ablation: what an ablation with a known margin, another breath-hold and the bend of the liver make of a phantom."""

import numpy as np
from scipy import ndimage

from hepatica.radiology.ablation.margin import Surface
from hepatica.radiology.phantom.anatomy import BRANCHINGS
from hepatica.radiology.phantom.lesions import FIRST_LABEL
from hepatica.radiology.phantom.scanner import smooth_noise
from hepatica.radiology.phantom.shapes import Grid

ZONE = FIRST_LABEL
"""The label of the ablation zone in the mask of the scan after ablation."""

_DEAD_HU = (48.0, 50.0, 50.0, 50.0)  # by phase: nothing is taken up; ours
_MORE_MM = (2.0, 6.0)  # further than the least margin, on the side of most; ours
_BREATH_MM = (8.0, 3.0, 3.0)  # standard deviation of the shift along z, y and x; ours
_BEND_MM, _BEND_GRAIN_MM = 2.5, 60.0  # standard deviation of what bends, and over how much; ours


def ablate(
    rng: np.random.Generator, pictures: np.ndarray, mask: np.ndarray, grid: Grid, *, margin_mm: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The body after ablation, as `draw_body` has it: pictures (phase z y x), mask (z y x) with ZONE, and landmarks.

    The zone reaches `margin_mm` beyond the tumour on one side and further everywhere else. Landmarks (n 6): branchings
    of vessels in the liver, x, y and z in mm (LPS) before and after.
    """
    where, share = _zone(rng, mask == FIRST_LABEL, grid, margin_mm=margin_mm)
    dead = np.array(_DEAD_HU, np.float32)[:, None, None, None]
    treated, zone = pictures.copy(), np.zeros(grid.shape, np.float32)
    treated[:, *where] += share * (mask[where] > 0) * (dead - treated[:, *where])
    zone[where] = share
    spacing = np.array(grid.geometry.spacing)
    shift = rng.normal(0, _BREATH_MM)
    bend = [smooth_noise(rng, shape=grid.shape, grain=grid.grain(_BEND_GRAIN_MM)) for _ in range(3)]
    moved = shift[:, None, None, None] + _BEND_MM * np.stack(bend)  # (axis z y x) mm from after to before
    at = np.indices(grid.shape) + moved / spacing[:, None, None, None]
    after = np.stack([ndimage.map_coordinates(each, at, order=1, mode="nearest") for each in treated])
    found = ndimage.map_coordinates(mask > 0, at, order=0).astype(np.uint8)
    found[ndimage.map_coordinates(zone, at, order=1) >= 0.5] = ZONE
    return after, found, _landmarks(moved, mask, grid)


def _zone(
    rng: np.random.Generator, tumour: np.ndarray, grid: Grid, *, margin_mm: float
) -> tuple[tuple[slice, ...], np.ndarray]:
    """Where the zone lies, and (z y x) 0..1 how much of each voxel there it fills."""
    spacing, most = grid.geometry.spacing, _MORE_MM[1] + margin_mm
    spans = [np.flatnonzero(tumour.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    wider = [int(np.ceil(most / side)) + 2 for side in spacing]
    where = tuple(slice(max(span[0] - more, 0), span[-1] + more + 1) for span, more in zip(spans, wider, strict=True))
    tumour = tumour[where]
    away = ndimage.distance_transform_edt(~tumour, sampling=spacing)
    out = (np.argwhere(np.ones_like(tumour)) - ndimage.center_of_mass(tumour)) * spacing
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-6)
    side = rng.normal(size=3)
    further = (1 - out @ (side / np.linalg.norm(side))).reshape(tumour.shape) / 2
    reach = margin_mm + rng.uniform(*_MORE_MM) * further
    near = np.abs(away - reach) < 2 * max(spacing)
    surface = Surface(share=np.pad(tumour, 1).astype(np.float32), spacing=spacing)
    away[near] = -surface.depth((np.argwhere(near) + 1) * np.array(spacing))[0]
    return where, np.clip((reach - away) / grid.pixel + 0.5, 0, 1)


def _landmarks(moved: np.ndarray, mask: np.ndarray, grid: Grid) -> np.ndarray:
    """Where BRANCHINGS are after, by following the displacement backwards."""
    first, spacing = np.array(grid.geometry.origin), np.array(grid.geometry.spacing)
    before = np.array(BRANCHINGS)
    after = before.copy()
    for _ in range(10):  # after + moved(after) = before, a contraction
        at = ((after - first)[:, ::-1] / spacing).T
        after = (
            before - np.stack([ndimage.map_coordinates(each, at, order=1, mode="nearest") for each in moved[::-1]]).T
        )
    voxel = np.rint((before - first)[:, ::-1] / spacing).astype(int)
    inside = ((voxel >= 0) & (voxel < grid.shape)).all(axis=1)
    inside[inside] = mask[tuple(voxel[inside].T)] > 0
    return np.asarray(np.concatenate([before, after], axis=1)[inside].round(2))

"""Shape: form and size of a lesion, and where in it the brightness lies (IBSI 3.1, HCUG)."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfftn, next_fast_len, rfftn
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from scipy.special import eval_legendre
from skimage.measure import marching_cubes

from hepatica.radiology.radiomics.aggregation import Floats

Spacing = tuple[float, float, float]


def shape(values: Floats, mask: NDArray[np.bool_], *, spacing_mm: Spacing) -> dict[str, float]:
    """Features of a lesion's mask (z y x) and of the values in it; a surface runs half way to the next voxel."""
    spacing = np.asarray(spacing_mm)
    vertices, faces, *_ = marching_cubes(np.pad(mask, 1).astype(np.float32), 0.5, spacing=spacing_mm)
    vertices = vertices.astype(float)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    volume = abs(float(np.einsum("nk,nk->", a, np.cross(b, c)))) / 6
    area = float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()) / 2
    places, inside = np.argwhere(mask) * spacing, values[mask].astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):  # of values of sum 0: not defined
        shift = places.mean(axis=0) - (places * inside[:, None]).sum(axis=0) / inside.sum()
    return {
        "morph_volume_RNU0": volume,
        "morph_approx_volume_YEKZ": float(mask.sum() * spacing.prod()),
        "morph_area_C0JK": area,
        **_roundness(volume, area),
        "morph_centre_of_mass_shift_KLMA": float(np.linalg.norm(shift)),
        **_extents(vertices, places, volume=volume, area=area),
        "morph_integrated_intensity_99N0": float(inside.mean()) * volume,
        **_neighbours(values, mask, spacing=spacing),
    }


def _roundness(volume: float, area: float) -> dict[str, float]:
    ball = (36 * np.pi * volume**2) ** (1 / 3)  # the area of a ball of this volume
    return {
        "morph_surface_volume_ratio_2PR5": area / volume,
        "morph_comp_1_SKGS": float(volume / (np.sqrt(np.pi) * area**1.5)),
        "morph_comp_2_BQWJ": float((ball / area) ** 3),
        "morph_sph_dispr_KRCK": float(area / ball),
        "morph_sphericity_QCFX": float(ball / area),
        "morph_asphericity_25C7": float(area / ball - 1),
    }


def _extents(vertices: Floats, places: Floats, *, volume: float, area: float) -> dict[str, float]:
    hull = ConvexHull(vertices)
    box = np.ptp(vertices, axis=0)
    away = places - places.mean(axis=0)
    spread = np.linalg.eigvalsh(away.T @ away / max(len(away) - 1, 1))[::-1]
    axes = 4 * np.sqrt(np.maximum(spread, 0))
    with np.errstate(divide="ignore", invalid="ignore"):  # of a flat lesion: not defined
        return {
            "morph_max_3d_diam_L0JK": float(pdist(vertices[hull.vertices]).max()),
            "morph_pca_major_TDIC": float(axes[0]),
            "morph_pca_minor_P9VJ": float(axes[1]),
            "morph_pca_least_7J51": float(axes[2]),
            "morph_pca_elongation_Q3CK": float(axes[1] / axes[0]),
            "morph_pca_flatness_N17B": float(axes[2] / axes[0]),
            "morph_vol_dens_aabb_PBX1": float(volume / box.prod()),
            "morph_area_dens_aab_R59B": float(area / (2 * (box.prod() / box).sum())),
            "morph_vol_dens_aee_6BDE": float(volume / (np.pi / 6 * axes.prod())),
            "morph_area_dens_aee_RDD2": float(area / _ellipsoid_area(axes / 2)),
            "morph_vol_dens_conv_hull_R3ER": float(volume / hull.volume),
            "morph_area_dens_conv_hull_7T7F": float(area / hull.area),
        }


def _ellipsoid_area(half: Floats) -> float:
    """Surface of an ellipsoid with these half axes, the longest first, by 21 terms of IBSI's series (RDD2)."""
    flat = np.sqrt(np.maximum(1 - (half[1:] / half[0]) ** 2, 1e-8))  # of a ball both are 0, and its limit is meant
    order = np.arange(21)
    terms = flat.prod() ** order / (1 - 4 * order**2) * eval_legendre(order, (flat**2).sum() / (2 * flat.prod()))
    return float(4 * np.pi * half[0] * half[1] * terms.sum())


def _neighbours(values: Floats, mask: NDArray[np.bool_], *, spacing: Floats) -> dict[str, float]:
    """Moran's I and Geary's C of all pairs of voxels, each weighted by 1 over its distance: as sums by FFT, since
    there are n² pairs.
    """
    count, size = int(mask.sum()), [next_fast_len(2 * n - 1, real=True) for n in mask.shape]
    steps = np.meshgrid(
        *(np.fft.fftfreq(n, 1 / n) * step for n, step in zip(size, spacing, strict=True)), indexing="ij"
    )
    distance = np.sqrt(sum(each**2 for each in steps))
    weight = rfftn(np.divide(1, distance, out=np.zeros_like(distance), where=distance > 0))

    def around(each: Floats) -> Floats:
        found: Floats = irfftn(weight * rfftn(each, size), size)[tuple(slice(n) for n in mask.shape)]
        return found

    away = np.where(mask, values - values[mask].mean(), 0.0)
    near = around(mask.astype(float))
    pairs, together, spread = (mask * near).sum(), (away * around(away)).sum(), (away**2).sum()
    with np.errstate(divide="ignore", invalid="ignore"):  # of one brightness: not defined
        return {
            "morph_moran_i_N365": float(count * together / pairs / spread),
            "morph_geary_c_NPT7": float((count - 1) * ((away**2 * near).sum() - together) / pairs / spread),
        }

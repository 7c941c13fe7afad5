"""Stain: separate haematoxylin from eosin by Vahadane's method and give every slide the colours of one reference.

Light that passes stained tissue loses intensity as 255 exp(-c S): S (`matrix`) holds one row a stain, haematoxylin
first, with its share of red, green and blue; c (`concentrations`) says how much of each a pixel holds. Both are
non-negative, as stains only absorb. A slide's S is learnt once, from a sample of its tissue, by minimising

    mean over pixels of  1/2 |density - c S|^2 + sparsity (c_haematoxylin + c_eosin),   rows of S of length 1,

because most of the tissue binds mainly one of the two stains. Normalising keeps c and exchanges S and the scale of c.

Vahadane A, Peng T, Sethi A, et al. IEEE Trans Med Imaging 2016;35(8):1962. doi 10.1109/TMI.2016.2529665

Departures: the lasso of two stains is solved exactly (each pixel has four candidate sets of stains present) rather than
by a general solver; densities are natural logarithms of intensity over 255; tissue is what is darker than a CIE
lightness, and pixels of a pen's hue are no tissue; percentiles are taken over the tissue, not over the glass with it.
Unclear: with which sparsity the concentrations of the full image are found. The penalty pales what it separates, so
the stains are learnt with the paper's 0.1 and applied with 0.01.
"""

from dataclasses import dataclass

import numpy as np
from einops import rearrange

from hepatica.cohort.errors import SpecimenError

DENSITY = -np.log(np.maximum(np.arange(256), 1) / 255)
"""Optical density of an 8-bit intensity; 0 counts as 1, since nothing is infinitely dense."""

RUIFROK = np.array([[0.650, 0.704, 0.286], [0.072, 0.990, 0.105]])
"""Haematoxylin and eosin of Ruifrok and Johnston, Anal Quant Cytol Histol 2001;23:291: where every search begins."""

LEAST_TISSUE = 200
"""Tissue pixels below which no stain is estimated (ours)."""

LEAST_ANGLE = 5.0
"""Degrees below which two stain vectors are one stain and its noise (ours)."""

LEAST_RED = 0.4
"""Red below which the stain that absorbs more of it is no haematoxylin; published ones have 0.49 to 0.65 (ours)."""

LEAST_PEAK = 0.1
"""Peak concentration below which a stain counts as absent; stained tissue has 0.5 to 4 (ours)."""

ADVICE = "leave the slide out, or switch stain normalisation off"


@dataclass(frozen=True, kw_only=True)
class StainSettings:
    """How stains are learnt and applied. Sparsity, percentile and one matrix a slide are the paper's."""

    sparsity: float = 0.1
    applied_sparsity: float = 0.01  # ours; see Unclear
    samples: int = 4000  # ours, tissue pixels that the matrix is learnt from
    iterations: int = 30  # ours; within 1 % of the optimum, benchmarks/vahadane.py
    lightness: float = 80.0  # ours, CIE L* in 0..100; what is lighter is glass
    pen: float = 1.5  # ours, density in red over green; what has more is marker ink, haematoxylin has about 0.95
    candidates: int = 20_000  # ours, pixels looked at for tissue and for the percentile
    percentile: float = 99.0
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class StainFit:
    """The stains of one slide.

    `matrix`: (2, 3), a non-negative row of length 1 a stain; haematoxylin is the row that absorbs more red.
    `peak`: (2,), the 99th percentile of each stain's concentration in the tissue.
    """

    matrix: np.ndarray
    peak: np.ndarray


REFERENCE = StainFit(  # ours: Li 2025 does not say which target it took
    matrix=np.array([[0.496104, 0.763250, 0.413920], [0.282605, 0.814847, 0.506121]]),
    peak=np.array([2.989733, 1.359858]),
)
"""Stains of the target image that TIAToolbox is published with (BSD-3), by tests/pathology/make_stain_reference.py."""


def fit(tiles: np.ndarray, *, settings: StainSettings) -> StainFit:
    """Learn the stains of one slide from its uint8 tiles, (n, h, w, 3) or any other shape that ends in colour.

    The same pixels and seed give the same stains. Raises SpecimenError where there are no two stains to learn:
    hardly any tissue, one stain only, no haematoxylin.
    """
    density = tissue_density(tiles, settings=settings)
    sample = density[: settings.samples].astype(np.float32)  # half the bytes, and the matrix stays in float64
    matrix = RUIFROK
    for _ in range(settings.iterations):
        matrix = _improve(matrix, sample, concentrations(sample, matrix, sparsity=settings.sparsity))
    matrix = matrix[np.argsort(-matrix[:, 0])]
    _require_two_stains(matrix)
    applied = concentrations(density, matrix, sparsity=settings.applied_sparsity)
    peak = np.percentile(np.ascontiguousarray(applied.T), settings.percentile, axis=1)
    if peak.min() < LEAST_PEAK:
        absent = ("haematoxylin", "eosin")[peak.argmin()]
        raise SpecimenError(f"got almost no {absent} in the tissue, wanted both stains; {ADVICE}")
    return StainFit(matrix=matrix, peak=peak)


def tissue_density(tiles: np.ndarray, *, settings: StainSettings) -> np.ndarray:
    """Optical density (n, 3) of tissue pixels drawn at random from all tiles, in random order; `fit` learns from it.

    Raises SpecimenError where there is hardly any tissue.
    """
    pixels = rearrange(tiles, "... c -> (...) c")
    generator = np.random.default_rng(settings.seed)
    drawn = pixels[generator.choice(len(pixels), min(settings.candidates, len(pixels)), replace=False)]
    ink = DENSITY[drawn[:, 0]] > settings.pen * DENSITY[drawn[:, 1]]
    tissue = (_luminance(drawn) < ((settings.lightness + 16) / 116) ** 3) & ~ink
    if tissue.sum() < LEAST_TISSUE:
        raise SpecimenError(
            f"got {tissue.sum()} tissue pixels among {len(drawn)}, wanted at least {LEAST_TISSUE} for the"
            f" stains; {ADVICE}"
        )
    return np.asarray(DENSITY[drawn[tissue]])


def concentrations(density: np.ndarray, matrix: np.ndarray, *, sparsity: float) -> np.ndarray:
    """Exact minimum of 1/2 |density - c matrix|^2 + sparsity sum(c) over c >= 0: (n, 3) and (2, 3) to (n, 2).

    The rows of `matrix` must be non-negative, of length 1 and distinct. Computed in the precision of `density`.
    """
    overlap = density.dtype.type(matrix[0] @ matrix[1])
    haematoxylin, eosin = matrix.astype(density.dtype) @ density.T - density.dtype.type(sparsity)
    found = np.empty((2, len(density)), density.dtype)
    _with_rival(haematoxylin, eosin, overlap, out=found[0])
    _with_rival(eosin, haematoxylin, overlap, out=found[1])
    return rearrange(found, "stain n -> n stain")


def _with_rival(own: np.ndarray, rival: np.ndarray, overlap: np.floating, *, out: np.ndarray) -> None:
    """One stain's share: none, the share beside its rival, or all that it explains where the rival is absent."""
    np.subtract(own, overlap * rival, out=out)
    out /= 1 - overlap * overlap
    alone = rival <= overlap * own
    np.copyto(out, own, where=alone)
    np.maximum(out, 0, out=out)


def objective(density: np.ndarray, matrix: np.ndarray, found: np.ndarray, *, sparsity: float) -> float:
    """What `fit` minimises over both `matrix` and the concentrations `found`; the mean over pixels, in float64."""
    found = found.astype(np.float64)
    misfit = density - found @ matrix
    return float(0.5 * np.sum(misfit**2) + sparsity * np.sum(found)) / len(density)


def _improve(matrix: np.ndarray, density: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Each stain in turn: the best non-negative row of length 1 while the concentrations and the other row stay."""
    explained, shared = found.T @ density, found.T @ found
    matrix = matrix.copy()
    for own, other in ((0, 1), (1, 0)):
        row = np.maximum(explained[own] - shared[own, other] * matrix[other], 0)
        if row.any():
            matrix[own] = row / np.linalg.norm(row)
    return matrix


def normalise(tiles: np.ndarray, *, source: StainFit, target: StainFit, settings: StainSettings) -> np.ndarray:
    """Give uint8 tiles (n, h, w, 3) of a slide with stains `source` the colours of `target`: a new array of that shape.

    Each stain keeps its concentrations, scaled by the ratio of the two peaks, and takes the target's vector.
    """
    table = DENSITY.astype(np.float32)
    exchanged = (target.matrix * (target.peak / source.peak)[:, None]).astype(np.float32)
    normalised = np.empty(tiles.shape, np.uint8)
    for tile, result in zip(tiles, normalised, strict=True):  # one by one: a tile fits the processor's cache
        density = table[rearrange(tile, "h w c -> (h w) c")]
        found = concentrations(density, source.matrix, sparsity=settings.applied_sparsity)
        light = np.exp(-(found @ exchanged)) * 255 + np.float32(0.5)
        result[:] = rearrange(light.astype(np.uint8), "(h w) c -> h w c", h=len(tile))
    return normalised


def _luminance(pixels: np.ndarray) -> np.ndarray:
    """CIE Y of sRGB pixels, 0 to 1; a lightness L* above 8 has Y = ((L* + 16) / 116)^3."""
    value = np.arange(256) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    red, green, blue = (weight * linear for weight in (0.2126, 0.7152, 0.0722))
    return np.asarray(red[pixels[:, 0]] + green[pixels[:, 1]] + blue[pixels[:, 2]])


def _require_two_stains(matrix: np.ndarray) -> None:
    angle = np.degrees(np.arccos(np.clip(matrix[0] @ matrix[1], -1, 1)))
    if angle < LEAST_ANGLE:
        raise SpecimenError(
            f"got stains {angle:.1f} degrees apart, wanted at least {LEAST_ANGLE:g}: this is one stain; {ADVICE}"
        )
    if matrix[0, 0] < LEAST_RED:
        raise SpecimenError(
            f"got stains that absorb at most {matrix[0, 0]:.2f} of red, wanted at least {LEAST_RED:g}: haematoxylin is"
            f" missing; {ADVICE}"
        )

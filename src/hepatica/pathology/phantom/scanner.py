"""Scanner: from stain taken up to the pyramidal TIFF slide of a hospital, with its own stains, light and optics."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyvips
from PIL import Image, ImageFilter
from scipy import ndimage

from hepatica.cohort.atomic import replacing
from hepatica.cohort.units import MicronsPerPixel, SlidePixels
from hepatica.pathology.phantom.histology import Uptake
from hepatica.pathology.phantom.layout import enlarge

TILE = SlidePixels(256)
_PHOTONS = 0.15  # detected for each grey level


@dataclass(frozen=True, kw_only=True)
class Hospital:
    """A laboratory and its scanner.

    `haematoxylin`, `eosin`: optical density in red, green, blue, unit length. `strength`: optical density of each
    stain for an uptake of 1. `white`: what the scanner makes of empty glass, 0..255. `blur`: pixels (standard
    deviation). `noise`: grey levels. `quality`: of the JPEG tiles.
    """

    haematoxylin: tuple[float, float, float]
    eosin: tuple[float, float, float]
    strength: tuple[float, float]
    white: tuple[float, float, float]
    blur: float
    noise: float
    quality: int


HOSPITALS: Mapping[str, Hospital] = {
    "A": Hospital(
        haematoxylin=(0.5626, 0.7201, 0.4062),  # stain vectors as Macenko et al., ISBI 2009, give them
        eosin=(0.2159, 0.8012, 0.5581),
        strength=(1.25, 0.75),
        white=(243, 242, 244),
        blur=0.6,
        noise=1.5,
        quality=88,
    ),
    "B": Hospital(
        haematoxylin=(0.6500, 0.7040, 0.2860),  # Ruifrok & Johnston, Anal Quant Cytol Histol 2001;23:291
        eosin=(0.1927, 0.9074, 0.3736),  # as on the slide CMU-1-Small-Region, OpenSlide test data
        strength=(1.0, 0.9),
        white=(236, 233, 226),
        blur=0.9,
        noise=2.5,
        quality=75,
    ),
}
"""The two hospitals of the phantom: their pictures of one core differ in hue, strength, light, blur and compression."""


@dataclass(frozen=True, kw_only=True)
class Staining:
    """How one patient's sections came out: `vectors` (2, 3) unit optical densities, `strength` (2,)."""

    vectors: np.ndarray
    strength: np.ndarray


def stain(rng: np.random.Generator, *, hospital: Hospital) -> Staining:
    """A patient's staining: the hospital's own, give or take."""
    vectors = np.array([hospital.haematoxylin, hospital.eosin]) + rng.normal(0, 0.03, (2, 3))
    vectors = np.maximum(vectors, 0.01)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Staining(vectors=vectors, strength=np.array(hospital.strength) * np.exp(rng.normal(0, 0.1, 2)))


def photograph(uptake: Uptake, *, rng: np.random.Generator, hospital: Hospital, staining: Staining) -> np.ndarray:
    """(side, side, 3) uint8 by the law of Beer and Lambert: intensity = white exp(-uptake x strength x vector)."""
    weights = (staining.strength[:, np.newaxis] * staining.vectors).astype(np.float32)
    light = np.exp(-np.stack([uptake.haematoxylin, uptake.eosin], axis=-1) @ weights) * np.array(
        hospital.white, dtype=np.float32
    )
    sharp = Image.fromarray(light.astype(np.uint8))
    seen = np.asarray(sharp.filter(ImageFilter.GaussianBlur(hospital.blur)), dtype=np.float32)
    grain = hospital.noise * rng.standard_normal(seen.shape[:2], dtype=np.float32)
    return (seen + grain[..., np.newaxis]).clip(0, 255).astype(np.uint8)


def two_photons(uptake: Uptake, *, rng: np.random.Generator, hospital: Hospital) -> np.ndarray:
    """(side, side, 2) uint8 of the unstained section: fluorescence of cytoplasm (TPEF), second harmonic of collagen
    (SHG); nuclei, glass and lumina are dark.
    """
    collagen = enlarge(uptake.collagen, side=len(uptake.eosin)).clip(0)
    cytoplasm = uptake.eosin * np.exp(-1.6 * uptake.haematoxylin - 1.2 * collagen)
    light = 255 * np.stack([1.5 * hospital.strength[1] * cytoplasm, 0.8 * collagen], axis=-1)
    seen = ndimage.gaussian_filter(light, (hospital.blur, hospital.blur, 0))
    return np.asarray(rng.poisson(seen.clip(0) * _PHOTONS) / _PHOTONS).clip(0, 255).astype(np.uint8)


def write_two_photons(path: Path, picture: np.ndarray, *, mpp: MicronsPerPixel) -> None:
    """Write (h, w, 2) uint8 as a TIFF of two channels with its resolution, atomically."""
    with replacing(path) as temporary:
        pyvips.Image.new_from_array(np.ascontiguousarray(picture)).tiffsave(
            str(temporary), compression="deflate", xres=1000 / mpp, yres=1000 / mpp, resunit="cm"
        )


def write_slide(path: Path, picture: np.ndarray, *, mpp: MicronsPerPixel, quality: int) -> None:
    """Write (h, w, 3) uint8 as a pyramidal tiled JPEG TIFF with its resolution, atomically."""
    with replacing(path) as temporary:
        pyvips.Image.new_from_array(np.ascontiguousarray(picture)).tiffsave(
            str(temporary), compression="jpeg", Q=quality, tile=True, tile_width=TILE, tile_height=TILE,
            pyramid=True, xres=1000 / mpp, yres=1000 / mpp, resunit="cm",
        )  # fmt: skip

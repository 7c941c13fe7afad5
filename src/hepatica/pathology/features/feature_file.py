"""Feature file: the features of one slide's tiles in one HDF5 file, laid out as TRIDENT and CLAM write and read it.

Datasets `features` (n, width) float32 and `coords` (n, 2) int64, the upper left corner (x, y) of each tile in pixels of
the finest level; attributes of `coords` as TRIDENT's (IO.py, `coords_to_h5`): patch_size, patch_size_level0,
level0_magnification, target_magnification, overlap, name, savetodir, level0_width, level0_height; of `features`: name,
savetodir. CLAM's h5_files have the datasets alone, coords int32. Ours have three attributes of the file: `encoder`,
the digest of the network, `mpp` of its tiles, and `about`, what is known of the slide, as JSON.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from hepatica.cohort.atomic import replacing
from hepatica.cohort.digests import CONTENT
from hepatica.cohort.errors import SpecimenError

SUFFIXES = (".h5", ".hdf5")

ELSEWHERE = "elsewhere"
"""In place of the digest of an encoder, for files that do not say which made them."""

MAGNIFICATION_UM = 10.0
"""Micrometres per pixel times magnification, by which TRIDENT names resolutions."""

MOST_TILES, FARTHEST = 10_000_000, 2**31
"""More tiles than any slide has, and pixels beyond which no slide reaches (ours)."""

USUAL = 256
"""Pixels of a tile's side where nothing says it: the usual of CLAM."""

_CHUNK = 64  # rows
_KEY = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class FeatureFile:
    """A feature file that was found whole; it is opened for each reading, for a cohort may have thousands.

    `width` numbers describe a tile; `corners` (n, 2) int64; `extent` side of a tile in pixels of the finest level;
    `tile` its side in pixels as the encoder read it and micrometres of each, None where the file does not say;
    `encoder` the digest of what made it; `about` what else is known of the slide, such as its width and height in
    pixels of the finest level.
    """

    path: Path
    width: int
    corners: np.ndarray
    extent: float
    tile: tuple[int, float] | None
    encoder: str
    about: dict[str, Any]

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Features of tiles (b, width) float32; what lies between the first and the last of them is read too."""
        if not len(rows):
            return np.empty((0, self.width), np.float32)
        first, last = int(rows.min()), int(rows.max()) + 1
        with h5py.File(self.path, "r") as file:
            features: Any = file["features"]
            stretch = features[0, first:last] if features.ndim == 3 else features[first:last]
        with np.errstate(over="ignore"):  # what does not fit becomes infinite, which `distribution` refuses
            found: np.ndarray = np.asarray(stretch, np.float32)[rows - first]
        return found


def open_features(path: Path) -> FeatureFile | None:
    """Open a file that `writing` wrote; None where there is none, or none that is whole."""
    try:
        return read_features(path)
    except (FileNotFoundError, SpecimenError):
        return None


def read_features(path: Path) -> FeatureFile:
    """Open a file of ours, TRIDENT's or CLAM's, features (1, n, width) too; SpecimenError where it is none of these,
    FileNotFoundError where there is none.
    """
    try:
        with h5py.File(path, "r") as file:
            features: Any = file["features"]
            coords: Any = file["coords"]
            shape, kinds = tuple(features.shape), features.dtype.kind + coords.dtype.kind
            # What is declared is looked at before it is read: it may be far more than the file holds.
            if coords.shape[:1] > (MOST_TILES,) or kinds.strip("fiub"):
                raise ValueError(f"coords of shape {coords.shape} and types {features.dtype} and {coords.dtype}")
            places, attributes = coords[()], {**coords.attrs, **file.attrs}
        if not (np.abs(places) < FARTHEST).all():
            raise ValueError("coords that lie on no slide")
        encoder, about = str(attributes.get("encoder", ELSEWHERE)), dict(json.loads(attributes.get("about", "{}")))
        corners, extent, tile = places.astype(np.int64), _extent(places, attributes), _tile(attributes)
        size = {
            name: int(attributes[f"level0_{name}"]) for name in ("width", "height") if f"level0_{name}" in attributes
        }
    except FileNotFoundError:
        raise
    except (OSError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RuntimeError) as error:
        raise SpecimenError(
            f"the file of features cannot be read ({error}); wanted HDF5 with `features` (n, width) and `coords` (n,"
            " 2), as TRIDENT and CLAM write it"
        ) from error
    count, width = shape[-2:] if len(shape) == 2 or (len(shape) == 3 and shape[0] == 1) else (0, 0)
    if not count or not width or corners.shape != (count, 2):
        raise SpecimenError(
            f"got features of shape {shape} and coords of shape {corners.shape}, wanted (n, width) and (n, 2) with n of"
            " at least 1; compute them again"
        )
    known: dict[str, Any] = {"extent": extent, "tile": tile, "encoder": encoder, "about": size | about}
    return FeatureFile(path=path, width=width, corners=corners, **known)


def slide_of(path: Path) -> str:
    """The digits by which a run knows the content of the slide that a file of ours describes; "" for any other file."""
    with suppress(OSError, LookupError, AttributeError), h5py.File(path, "r") as file:
        name = str(file["coords"].attrs["name"])
        if "encoder" in file.attrs and _KEY.fullmatch(name):
            return name[:CONTENT]
    return ""


def _extent(corners: np.ndarray, attributes: Mapping[str, Any]) -> float:
    """A tile's side: as written, else the commonest distance of neighbours in a row or column, for CLAM lays a grid of
    its own over each piece of tissue; USUAL where there are none.
    """
    steps = []
    for along, across in ((0, 1), (1, 0)):
        ahead = np.diff(corners[np.lexsort((corners[:, along], corners[:, across]))], axis=0)
        steps.append(ahead[(ahead[:, across] == 0) & (ahead[:, along] > 0), along])
    sizes, counts = np.unique(np.concatenate(steps), return_counts=True)
    extent = float(attributes.get("patch_size_level0", sizes[counts.argmax()] if sizes.size else USUAL))
    if not 0 < extent < FARTHEST:
        raise ValueError(f"tiles of {extent} pixels")
    return extent


def _tile(attributes: Mapping[str, Any]) -> tuple[int, float] | None:
    if not {"patch_size", "target_magnification"} <= attributes.keys():
        return None
    mpp = attributes.get("mpp", MAGNIFICATION_UM / float(attributes["target_magnification"]))
    found = int(attributes["patch_size"]), float(mpp)
    if not min(found) > 0:
        raise ValueError(f"tiles of {found[0]} pixels of {found[1]} micrometres")
    return found


def distribution(found: FeatureFile) -> dict[str, float]:
    """Mean and SD of all features, read a part at a time; SpecimenError where one is no number."""
    total, squares, count = 0.0, 0.0, len(found.corners)
    for start in range(0, count, 4096):
        part = found.read(np.arange(start, min(start + 4096, count))).astype(np.float64)
        with np.errstate(invalid="ignore"):  # of infinities of both signs
            total, squares = total + part.sum(), squares + (part**2).sum()
    if not np.isfinite(squares):
        raise SpecimenError("got features that are not numbers; compute them again")
    mean = total / (count * found.width)
    return {"features_mean": mean, "features_sd": max(squares / (count * found.width) - mean**2, 0.0) ** 0.5}


@contextmanager
def writing(
    path: Path, *, corners: np.ndarray, width: int, side: int, mpp: float, encoder: str, about: Mapping[str, Any]
) -> Iterator[Callable[[np.ndarray], None]]:
    """Yield a function that appends features (b, width) of the tiles of `corners`, in their order.

    The file appears under its name only when all are in it. `about` has mpp, extent, width and height of the slide;
    the tiles are of `side` pixels of `mpp` micrometres.
    """
    names = {"name": path.stem, "savetodir": ""}  # no name of a patient
    of_tiles = {
        "patch_size": side,
        "patch_size_level0": round(about["extent"]),
        "level0_magnification": round(MAGNIFICATION_UM / about["mpp"]),
        "target_magnification": round(MAGNIFICATION_UM / mpp),
        "overlap": 0,
        **names,
        "level0_width": about["width"],
        "level0_height": about["height"],
    }
    with replacing(path) as temporary:
        with h5py.File(temporary, "w") as file:
            rows = min(len(corners), _CHUNK)
            shape, chunks = (len(corners), width), (rows, width)
            features = file.create_dataset("features", shape, "f4", maxshape=(None, width), chunks=chunks)
            coords = file.create_dataset("coords", data=corners, dtype="i8", maxshape=(None, 2), chunks=(rows, 2))
            features.attrs.update(names)
            coords.attrs.update(of_tiles)
            file.attrs.update({"encoder": encoder, "mpp": mpp, "about": json.dumps(about)})
            done = 0

            def append(found: np.ndarray) -> None:
                nonlocal done
                features[done : done + len(found)] = found
                done += len(found)

            yield append
        assert done == len(corners), "every corner needs its features"

"""Measures: size, shape, stain and texture of each nucleus, its class, and how nuclei lie among each other.

Profile: the nuclei of prepared tiles, and 246 numbers that describe those of a slide or a tile.

18 measures by 4 statistics by 3 classes (216), and how the classes lie among each other (30). Wang 2020 (doi
10.3390/cancers12123562) counts 246 features too; its list is not public here, and this one is ours.
"""

from collections.abc import Iterator
from itertools import combinations_with_replacement, product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import Delaunay, QhullError, cKDTree
from skimage.measure import regionprops_table
from skimage.segmentation import expand_labels

from hepatica.pathology.nuclei.instances import Labels, part, stains
from hepatica.pathology.nuclei.training import Finder
from hepatica.pathology.store import TileStore

KINDS = ("parenchymal", "lymphocyte", "stromal")
"""Classes of nuclei: of tumour or liver cells, of lymphocytes, of fibroblasts and lining cells."""

MORPHOLOGY = ("area_um2", "perimeter_um", "length_um", "width_um", "eccentricity", "solidity", "circularity", "extent")
INTENSITY = ("haematoxylin_mean", "haematoxylin_sd", "haematoxylin_rim", "eosin_mean", "eosin_sd", "eosin_rim")
TEXTURE = ("gradient_mean", "gradient_sd", "grain_fine", "grain_coarse")
FEATURES = (*MORPHOLOGY, *INTENSITY, *TEXTURE)
"""What is measured of a nucleus. rim: concentration in the nucleus less that within RIM around it; grain: SD of the
haematoxylin that structures of about 1 (fine) and 2 (coarse) pixels make up; texture leaves out the edge."""

RIM = 2.0
"""Micrometres around a nucleus that are looked at beside it (ours)."""

SMALL, ROUND, LONG = 45.0, 0.6, 0.45
"""A lymphocyte's nucleus is at most SMALL um2, of width over length from ROUND, and darker than the median of its
specimen; one of width over length below LONG is stromal. Ours: a disc of 45 um2 is 7.6 um wide."""

REACH = 50.0
"""Micrometres beyond which two nuclei are no neighbours (ours)."""


def measure_nuclei(image: NDArray[np.uint8], labels: Labels, *, mpp: float) -> pd.DataFrame:
    """One row a nucleus of an image (h, w, 3): its number, x and y (pixels of the image), whether it is whole (touches
    no edge of the image), and FEATURES; lengths in um. Concentrations are those of `stains`.
    """
    names = ("label", "area", "centroid", "perimeter", "solidity", "extent", "bbox")
    found = regionprops_table(labels, properties=names)
    length, width = _axes(labels, count=len(found["label"]))
    size, count = labels.shape, len(found["label"])
    perimeter = np.maximum(found["perimeter"], 1.0)
    shape = {
        "area_um2": found["area"] * mpp**2,
        "perimeter_um": perimeter * mpp,
        "length_um": length * mpp,
        "width_um": width * mpp,
        "eccentricity": np.sqrt(1 - (width / np.maximum(length, 1e-9)) ** 2),
        **{name: found[name] for name in ("solidity", "extent")},
        "circularity": np.minimum(4 * np.pi * found["area"] / perimeter**2, 1.0),
    }
    low, high = (np.stack([found[f"bbox-{axis}"] for axis in axes], axis=1) for axes in ((0, 1), (2, 3)))
    whole = ((low > 0) & (high < size)).all(axis=1) if count else np.zeros(0, bool)
    where = {"number": found["label"], "x": found["centroid-1"], "y": found["centroid-0"], "whole": whole}
    return pd.DataFrame(where | shape | _of_stains(image, labels, mpp=mpp))


def _of_stains(image: NDArray[np.uint8], labels: Labels, *, mpp: float) -> dict[str, NDArray[np.float64]]:
    """INTENSITY and TEXTURE of the nuclei 1, 2, … of a label map."""
    strength = stains(image)
    around = np.where(labels > 0, 0, expand_labels(labels, distance=RIM / mpp))
    blood = strength[..., 0]
    smooth = [blood, *(ndimage.gaussian_filter(blood, sd) for sd in (1, 2))]
    steep = ndimage.gaussian_gradient_magnitude(blood, 1)
    found: dict[str, NDArray[np.float64]] = {}
    for place, stain in enumerate(("haematoxylin", "eosin")):
        mean, sd = _moments(labels, strength[..., place])
        found |= {f"{stain}_mean": mean, f"{stain}_sd": sd}
        found[f"{stain}_rim"] = mean - _moments(around, strength[..., place], count=len(mean))[0]
    inner = np.where(ndimage.grey_erosion(labels, size=3) == ndimage.grey_dilation(labels, size=3), labels, 0)
    found["gradient_mean"], found["gradient_sd"] = _moments(inner, steep, count=len(mean))
    for name, wide, narrow in (("grain_fine", *smooth[:2]), ("grain_coarse", *smooth[1:])):
        found[name] = _moments(inner, wide - narrow, count=len(mean))[1]
    return found


def _axes(labels: Labels, *, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Axes of the ellipses with the second moments of the nuclei 1, 2, …, in pixels; regionprops' own, all at once."""
    rows, columns = np.nonzero(labels)
    flat = labels[rows, columns]
    size = np.maximum(np.bincount(flat, minlength=count + 1)[1:], 1)
    y, x = (each - (np.bincount(flat, each, count + 1)[1:] / size)[flat - 1] for each in (rows, columns))
    yy, xx, xy = (np.bincount(flat, each, count + 1)[1:] / size for each in (y * y, x * x, x * y))
    middle, apart = (yy + xx) / 2, np.sqrt(((yy - xx) / 2) ** 2 + xy**2)
    return 4 * np.sqrt(middle + apart), 4 * np.sqrt(np.maximum(middle - apart, 0))


def _moments(
    labels: Labels, values: NDArray[np.floating], *, count: int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and SD of the values in each of the objects 1 to `count` of a label map."""
    count = int(labels.max(initial=0)) if count is None else count
    inside = labels > 0
    flat, own = labels[inside], values[inside].astype(np.float64)
    size, total, squares = (np.bincount(flat, weights, count + 1)[1:] for weights in (None, own, own**2))
    size = np.maximum(size, 1)
    return total / size, np.sqrt(np.maximum(squares / size - (total / size) ** 2, 0))


def kinds_of(nuclei: pd.DataFrame) -> NDArray[np.object_]:
    """One of KINDS for each nucleus of one specimen, by its size, length and darkness; see SMALL."""
    ratio = nuclei["width_um"] / nuclei["length_um"].clip(lower=1e-9)
    dark = nuclei["haematoxylin_mean"] > nuclei["haematoxylin_mean"].median()
    small = (nuclei["area_um2"] <= SMALL) & (ratio >= ROUND) & dark
    return np.asarray(np.select([ratio < LONG, small], ["stromal", "lymphocyte"], "parenchymal"), object)


def neighbourhood(nuclei: pd.DataFrame, *, mm2: float) -> dict[str, float]:
    """How nuclei (x_um, y_um, kind) lie on `mm2` of tissue, by name; NaN where there are none to say.

    density_KIND per mm2; nearest_A_B and its _sd, um from a nucleus of A to the nearest other of B; clustered_KIND,
    Ripley's L at 25 um less 25 um: above 0 where nuclei of a kind seek each other (Ripley 1977, without edge
    correction); edges_A_B, share of the edges of Delaunay's triangulation, those longer than REACH left out.
    """
    places, kind = nuclei[["x_um", "y_um"]].to_numpy(float), nuclei["kind"].to_numpy()
    trees = {each: cKDTree(places[kind == each]) for each in KINDS}
    found = {f"density_{each}": tree.n / mm2 if mm2 else np.nan for each, tree in trees.items()}
    for one, other in product(KINDS, KINDS):
        distance = _nearest(trees[one], trees[other], same=one == other)
        known = distance.size > 0
        found[f"nearest_{one}_{other}"] = float(distance.mean()) if known else np.nan
        found[f"nearest_{one}_{other}_sd"] = float(distance.std()) if known else np.nan
    found |= {f"clustered_{each}": _ripley(tree, mm2=mm2) for each, tree in trees.items()}
    return found | dict(_edges(places, kind))


def _nearest(of: cKDTree, to: cKDTree, *, same: bool) -> NDArray[np.float64]:
    if not of.n or to.n <= same:
        return np.zeros(0)
    distance = to.query(of.data, k=2 if same else 1)[0]
    return np.asarray(distance[:, 1] if same else distance)


def _ripley(tree: cKDTree, *, mm2: float, radius: float = 25.0) -> float:
    if tree.n < 2 or not mm2:
        return np.nan
    pairs = tree.count_neighbors(tree, radius) - tree.n
    return float(np.sqrt(pairs / tree.n**2 * mm2 * 1e6 / np.pi) - radius)


def edges_of(places: NDArray[np.float64]) -> NDArray[np.int64]:
    """Pairs (m, 2) of neighbours among places (n, 2) in um: Delaunay's edges up to REACH."""
    if len(places) < 4:
        return np.zeros((0, 2), np.int64)
    try:
        corners = Delaunay(places).simplices
    except QhullError:  # all on one line
        return np.zeros((0, 2), np.int64)
    pairs = np.unique(
        np.sort(np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]]), axis=1), axis=0
    )
    return np.asarray(pairs[np.linalg.norm(places[pairs[:, 0]] - places[pairs[:, 1]], axis=1) <= REACH])


def _edges(places: NDArray[np.float64], kind: NDArray[np.object_]) -> Iterator[tuple[str, float]]:
    number = {each: place for place, each in enumerate(KINDS)}
    ends = np.sort(np.vectorize(number.get, otypes=[int])(kind[edges_of(places)]), axis=1)
    for one, other in combinations_with_replacement(range(len(KINDS)), 2):
        share = float((ends == (one, other)).all(axis=1).mean()) if len(ends) else np.nan
        yield f"edges_{KINDS[one]}_{KINDS[other]}", share


STATISTICS = ("mean", "sd", "skewness", "upper_decile")

OF_NUCLEI = tuple(f"{kind}_{name}_{each}" for kind in KINDS for each in STATISTICS for name in FEATURES)
AMONG = tuple(neighbourhood(pd.DataFrame({"x_um": [], "y_um": [], "kind": []}), mm2=1.0))
PROFILE = (*OF_NUCLEI, *AMONG)
"""Names of the 246 numbers, in their order."""

_AT_ONCE = 16  # tiles


def nuclei_of_tiles(store: TileStore, finder: Finder) -> pd.DataFrame:
    """One row a nucleus of all tiles of a store: `region`, the row of the tile in the store's index, specimen_id, x_um
    and y_um on the slide, whole, kind and FEATURES. Nuclei cut by a tile's edge are kept, and not whole.
    """
    found = pd.concat([_empty(), *_by_tile(store, finder)], ignore_index=True)
    owners = store.index["specimen_id"].to_numpy()[found["region"].to_numpy(int)]
    found["specimen_id"] = owners
    kinds = [pd.Series(kinds_of(own), index=own.index) for _, own in found.groupby("specimen_id", sort=False)]
    return found.assign(kind=pd.concat(kinds) if kinds else pd.Series(dtype=object))


def _empty() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=float) for name in ("region", "x_um", "y_um")})


def _by_tile(store: TileStore, finder: Finder) -> Iterator[pd.DataFrame]:
    native = store.specimens.set_index("specimen_id")["mpp"].loc[store.index["specimen_id"]].to_numpy(float)
    corners = store.index[["x", "y"]].to_numpy(float) * native[:, None]
    for start in range(0, len(store), _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, len(store)))
        tiles = store.read(rows)
        maps = None if finder.network is None else finder.maps(tiles)
        for row, place in enumerate(rows):
            labels = finder(tiles[row]) if maps is None else part(maps[row], how=finder.how)
            found = measure_nuclei(tiles[row], labels, mpp=finder.mpp).drop(columns="number")
            um = {f"{axis}_um": corners[place, n] + found[axis] * finder.mpp for n, axis in enumerate("xy")}
            yield found.assign(region=float(place), **um)


def profiles(nuclei: pd.DataFrame, *, of: str, names: pd.Index, mm2: pd.Series) -> pd.DataFrame:
    """PROFILE of the nuclei of each of `names`, which their column `of` holds; `mm2` of tissue of each."""
    groups = dict(iter(nuclei.groupby(of, sort=False)))
    none = nuclei.iloc[:0]
    rows = [profile(groups.get(name, none), mm2=float(mm2.loc[name])) for name in names]
    return pd.DataFrame(rows, index=names, columns=PROFILE)


def profile(nuclei: pd.DataFrame, *, mm2: float) -> NDArray[np.float64]:
    """PROFILE of nuclei on `mm2` of tissue, (246,); NaN where there are too few. Measures are of whole nuclei."""
    whole, kind = nuclei["whole"].to_numpy(bool), nuclei["kind"].to_numpy()
    values = nuclei[list(FEATURES)].to_numpy(float)
    measured = [_statistics(values[whole & (kind == each)]) for each in KINDS]
    return np.concatenate([*measured, list(neighbourhood(nuclei, mm2=mm2).values())])


def _statistics(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """STATISTICS of the columns of values (n, d), one after the other: (4 d,)."""
    if len(values) < 3:
        return np.full(len(STATISTICS) * values.shape[1], np.nan)
    mean, spread = values.mean(axis=0), values.std(axis=0)
    lean = (((values - mean) / np.maximum(spread, 1e-9)) ** 3).mean(axis=0)
    return np.concatenate([mean, spread, lean, np.quantile(values, 0.9, axis=0)])

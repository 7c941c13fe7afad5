"""Profile: the nuclei of prepared tiles, and 246 numbers that describe those of a slide or a tile.

18 measures by 4 statistics by 3 classes (216), and how the classes lie among each other (30). Wang 2020 (doi
10.3390/cancers12123562) counts 246 features too; its list is not public here, and this one is ours.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hepatica.pathology.nuclei.finder import Finder
from hepatica.pathology.nuclei.instances import part
from hepatica.pathology.nuclei.measures import FEATURES, KINDS, kinds_of, measure_nuclei, neighbourhood
from hepatica.pathology.store import TileStore

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
            labels = finder(tiles[row]) if maps is None else part(maps[row])
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

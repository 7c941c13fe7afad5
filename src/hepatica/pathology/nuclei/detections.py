"""Detections: outlines of nuclei that other programs found, read; and ours, written for QuPath.

Read are QuPath's GeoJSON (detections, cells with their nucleus, annotations), HoVer-Net's JSON and MAT, StarDist's NPZ
(`coord` of its polygons) and label images, which Cellpose, StarDist and others write. Pickles are refused, because they
run code when they are opened.

Review: what the tiles that speak most and least for a high score look like, counted instead of described.

Liu 2022 (doi 10.1007/s12072-022-10321-y) had pathologists look at them, and reports stroma, cytological atypia, nuclear
hyperchromasia and few immune cells where recurrence was predicted.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.ndimage import find_objects
from skimage.draw import polygon
from skimage.measure import find_contours

from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import SpecimenError, reading
from hepatica.pathology.nuclei.instances import Labels
from hepatica.pathology.nuclei.measures import nuclei_of_tiles
from hepatica.pathology.nuclei.pictures import IMAGES, read_labels
from hepatica.pathology.nuclei.training import Finder
from hepatica.pathology.store import TileStore

COLOURS = {"parenchymal": (200, 120, 0), "lymphocyte": (160, 90, 160), "stromal": (0, 140, 110)}
"""RGB, 0..255, of classes in QuPath and in pictures; grey for others."""

GREY = (130, 130, 130)

MAGNIFICATION = 10.0
"""Micrometres per pixel times magnification, by custom: 40x is 0.25."""


@dataclass(frozen=True, kw_only=True)
class Detections:
    """Closed or open outlines, (n, 2) x and y each, and the class of each as the program calls it, "" where it does
    not. `magnification` of the pixels they are in; None: those of the slide's finest level. `qupath`: counted from the
    corner of what QuPath shows.
    """

    outlines: Sequence[NDArray[np.float64]]
    kinds: Sequence[str]
    magnification: float | None = None
    qupath: bool = False

    def on(self, *, mpp: float, origin: tuple[int, int]) -> "Detections":
        """The same in pixels of a slide's finest level, of `mpp`, which QuPath shows from `origin` on."""
        factor = 1 if self.magnification is None else MAGNIFICATION / self.magnification / mpp
        moved = [each * factor + np.multiply(self.qupath, origin) for each in self.outlines]
        return Detections(outlines=moved, kinds=self.kinds)

    def within(self, *, corner: tuple[float, float], pixel: float, side: int) -> tuple[Labels, NDArray[np.int64]]:
        """Label map (side, side) of a window whose upper left is `corner`, its pixels `pixel` of the slide's, and the
        number of the detection of each of its labels. Of overlapping outlines the later one is in front.
        """
        labels = np.zeros((side, side), np.int32)
        near = [
            place
            for place, each in enumerate(self.outlines)
            if ((each.max(axis=0) >= corner) & (each.min(axis=0) < np.add(corner, side * pixel))).all()
        ]
        for number, place in enumerate(near, start=1):
            x, y = ((self.outlines[place] - corner) / pixel - 0.5).T
            labels[polygon(y, x, labels.shape)] = number
        shown, numbered = np.unique(labels, return_inverse=True)
        drawn = shown[shown > 0]
        start = int(shown.size == drawn.size)  # no background
        return (numbered + start).reshape(labels.shape).astype(np.int32), np.asarray(near, np.int64)[drawn - 1]


def read_detections(path: Path) -> Detections:
    """Outlines in a file of any kind of the module's head; SpecimenError for another, or a damaged one."""
    kind = path.suffix.lower()
    if kind in {".npy", ".pkl", ".pickle"}:
        raise SpecimenError(
            f"{path.name} is a pickle, which runs code when it is opened; save masks as TIFF (Cellpose: --save_tif) or"
            " as GeoJSON"
        )
    readers = {".json": _json, ".geojson": _json, ".npz": _stardist, ".mat": _matlab, **dict.fromkeys(IMAGES, _image)}
    if kind not in readers:
        raise SpecimenError(f"got detections in {kind or 'a file without ending'}, wanted one of {', '.join(readers)}")
    with reading(f"the detections {path.name}"):
        return readers[kind](path)


def _json(path: Path) -> Detections:
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, dict) and "nuc" in content:
        nuclei = content["nuc"].values()
        outlines = [np.asarray(each["contour"], float) for each in nuclei]
        kinds = ["" if each.get("type") is None else str(each["type"]) for each in nuclei]
        return Detections(outlines=outlines, kinds=kinds, magnification=content.get("mag"))
    features = content if isinstance(content, list) else content.get("features", [content])
    found = [(ring, _kind(each)) for each in features for ring in _rings(each)]
    return Detections(outlines=[ring for ring, _ in found], kinds=[kind for _, kind in found], qupath=True)


def _rings(feature: Mapping[str, Any]) -> Iterator[NDArray[np.float64]]:
    """Outer rings of a feature; of a cell with a nucleus, of its nucleus."""
    shape = feature.get("nucleusGeometry") or feature["geometry"]
    parts = {"Polygon": [shape["coordinates"]], "MultiPolygon": shape["coordinates"]}.get(shape["type"], [])
    yield from (np.asarray(part[0], float) for part in parts)


def _kind(feature: Mapping[str, Any]) -> str:
    found = (feature.get("properties") or {}).get("classification") or {}
    return str(found.get("name") or ": ".join(found.get("names", [])))


def _stardist(path: Path) -> Detections:
    with np.load(path, allow_pickle=False) as content:
        coordinates = content["coord"]  # (n, 2, rays), y first
    return Detections(outlines=[each[::-1].T.astype(float) for each in coordinates], kinds=[""] * len(coordinates))


def _matlab(path: Path) -> Detections:
    content = loadmat(path)
    labels = np.asarray(content["inst_map"], np.int32)
    found = outlines_of(labels)
    types = content.get("inst_type", content.get("type"))
    kinds = [""] * len(found) if types is None else [str(int(each)) for each in np.ravel(types)]
    return Detections(outlines=list(found.values()), kinds=kinds)


def _image(path: Path) -> Detections:
    found = list(outlines_of(read_labels(path)).values())
    return Detections(outlines=found, kinds=[""] * len(found))


def outlines_of(labels: Labels) -> dict[int, NDArray[np.float64]]:
    """The longest outline of each object of a label map, by its number: (n, 2) x and y, pixel corners whole numbers."""
    found = {}
    for number, place in enumerate(find_objects(labels), start=1):
        if place is None:
            continue
        rings = find_contours(np.pad(labels[place] == number, 1).astype(float), 0.5)
        ring = max(rings, key=len)
        found[number] = ring[:, ::-1] - 0.5 + [place[1].start, place[0].start]
    return found


def write_detections(path: Path, outlines: Sequence[NDArray[np.float64]], kinds: Sequence[str], *, note: str) -> None:
    """Write outlines, in pixels of the finest level as QuPath shows it, as GeoJSON of detections with their classes."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(json.dumps({"type": "FeatureCollection", "note": note})[:-1] + ', "features": [')
        for place, (ring, kind) in enumerate(zip(outlines, kinds, strict=True)):
            file.write((",\n" if place else "\n") + json.dumps(_feature(ring, kind)))
        file.write("\n]}\n")


def _feature(ring: NDArray[np.float64], kind: str) -> dict[str, Any]:
    closed = np.round(np.concatenate([ring, ring[:1]]) if (ring[0] != ring[-1]).any() else ring, 1).tolist()
    classed = {"classification": {"name": kind, "color": list(COLOURS.get(kind, GREY))}} if kind else {}
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [closed]},
        "properties": {"objectType": "detection"} | classed,
    }


FINDINGS: Mapping[str, str] = {
    "stroma": "Stromal nuclei per mm²",
    "nuclear_size": "Atypia: mean area of parenchymal nuclei, µm²",
    "nuclear_variation": "Atypia: variation of that area (SD over mean)",
    "hyperchromasia": "Hyperchromasia: haematoxylin of parenchymal nuclei",
    "immune_cells": "Immune cells: lymphocytes per mm²",
}
"""What is counted in a tile; concentrations are those of `stains`."""

SHOWN = 8
"""Tiles of a row of the contact sheet (ours)."""


def extremes(regions: pd.DataFrame) -> pd.DataFrame:
    """The tile of highest and that of lowest score of each patient with several: row (of `regions`) and `end`, high or
    low. One of each a patient, so that tests count patients.
    """
    several = regions.groupby("patient_id")["score"].transform("size") > 1
    by_patient = regions[several].groupby("patient_id")["score"]
    ends = {"high": by_patient.idxmax(), "low": by_patient.idxmin()}
    return pd.concat([regions.loc[rows].assign(row=rows.to_numpy(), end=end) for end, rows in ends.items()])


def review(tiles: TileStore, regions: pd.DataFrame, finder: Finder) -> pd.DataFrame:
    """`extremes` with FINDINGS of each; `regions` are the scored tiles in the order of `tiles`. NaN without nuclei."""
    chosen = extremes(regions.reset_index(drop=True)).reset_index(drop=True)
    nuclei = nuclei_of_tiles(picked(tiles, chosen["row"].to_numpy()), finder)
    mm2 = (tiles.side * finder.mpp / 1000) ** 2
    found = pd.DataFrame({row: _findings(own, mm2) for row, own in nuclei.groupby("region")}).T
    counts = found.reindex(columns=[*FINDINGS], index=range(len(chosen))).astype(float)
    empty = {"stroma": 0.0, "immune_cells": 0.0}
    return chosen.join(counts.fillna(empty))


def picked(tiles: TileStore, rows: np.ndarray) -> TileStore:
    """A store of these rows alone, in this order."""
    return replace(tiles, index=tiles.index.loc[rows].reset_index(drop=True))


def _findings(nuclei: pd.DataFrame, mm2: float) -> dict[str, float]:
    whole = nuclei[nuclei["whole"].astype(bool) & (nuclei["kind"] == "parenchymal")]
    size = whole["area_um2"].astype(float)
    return {
        "stroma": (nuclei["kind"] == "stromal").sum() / mm2,
        "nuclear_size": size.mean(),
        "nuclear_variation": size.std(ddof=0) / size.mean() if len(size) > 2 else np.nan,
        "hyperchromasia": whole["haematoxylin_mean"].astype(float).mean(),
        "immune_cells": (nuclei["kind"] == "lymphocyte").sum() / mm2,
    }


def contact_sheet(tiles: TileStore, reviewed: pd.DataFrame, *, path: Path, note: str, meaning: str) -> None:
    """Draw the tiles of the highest scores above, and of the lowest below, one a patient each."""
    high = reviewed[reviewed["end"] == "high"].nlargest(SHOWN, "score")
    low = reviewed[reviewed["end"] == "low"].nsmallest(SHOWN, "score")
    figure = Figure(figsize=(1.25 * SHOWN, 3.3), dpi=150, layout="constrained")
    parts: Any = figure.subfigures(2, 1)
    for part, rows, name in zip(parts, (high, low), ("highest", "lowest"), strict=True):
        part.suptitle(f"{meaning}: {name} tiles, one of each patient", fontsize=8)
        panels = part.subplots(1, SHOWN)
        for axes, image in zip(panels, tiles.read(rows["row"].to_numpy()), strict=False):
            axes.imshow(image)
        for axes in panels:
            axes.set_axis_off()
    figure.supxlabel(note, fontsize=7)
    with replacing(path) as temporary:
        figure.savefig(temporary)

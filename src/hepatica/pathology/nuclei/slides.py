"""Slides: the nuclei of whole slides and pictures, window by window, as tables, for QuPath, and drawn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import NotAssessableError, SpecimenError
from hepatica.cohort.seal import sealing
from hepatica.cohort.units import MicronsPerPixel, TilePixels
from hepatica.pathology.nuclei.detections import (
    COLOURS,
    GREY,
    Detections,
    outlines_of,
    read_detections,
    write_detections,
)
from hepatica.pathology.nuclei.instances import Labels
from hepatica.pathology.nuclei.measures import FEATURES, KINDS, kinds_of, measure_nuclei, neighbourhood
from hepatica.pathology.nuclei.training import Finder
from hepatica.pathology.slide import Slide, extent, open_slide
from hepatica.pathology.survey import overview

SIDE = TilePixels(512)
"""Pixels of a window's core (ours)."""

MARGIN = 32
"""Pixels read around it: a nucleus belongs to the core that its centre lies in, and is seen whole (ours)."""

LEAST_TISSUE = 0.02
"""Share of a window's core that must be tissue (ours)."""


Place = tuple[tuple[int, int], float]
"""Upper left corner of a window, in pixels of the finest level, and its share of tissue."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """Nuclei of one slide (see `measure_nuclei`; x, y in pixels of the finest level, x_um, y_um, kind), their outlines
    in the same pixels, and the mm2 of tissue that were looked at; `busiest` is the window of most nuclei: image, labels
    and the place in `nuclei` of each of its labels.
    """

    nuclei: pd.DataFrame
    outlines: Sequence[NDArray[np.float64]]
    mm2: float
    busiest: tuple[NDArray[np.uint8], Labels, NDArray[np.int64]]

    def summary(self) -> dict[str, float]:
        """Counts, densities and neighbourhood, and the median of each measure of whole nuclei."""
        whole = self.nuclei[self.nuclei["whole"]]
        counts = {"nuclei": float(len(self.nuclei)), "tissue_mm2": self.mm2}
        shares = {f"share_{kind}": float((self.nuclei["kind"] == kind).mean()) for kind in KINDS}
        medians = {f"median_{name}": float(whole[name].median()) for name in FEATURES}
        return counts | shares | neighbourhood(self.nuclei, mm2=self.mm2) | medians


def find_nuclei(
    slide: Slide, finder: Finder, *, windows: int | None = None, seed: int = 0, given: Detections | None = None
) -> Found:
    """Find and measure the nuclei in all windows with tissue, or in `windows` of them drawn by `seed`.

    With `given`, outlines of another program in the pixels of the finest level are measured instead, and keep their
    classes. SpecimenError where there is no tissue.
    """
    places = _drawn(list(_windows(slide, finder)), windows, seed=seed)
    parts: list[pd.DataFrame] = []
    outlines: list[NDArray[np.float64]] = []
    busiest, most = None, -1
    pixel = extent(side=SIDE, mpp=finder.mpp, native=slide.mpp) / SIDE
    for corner, _ in places:
        image, labels, table = _window(slide, finder, corner, pixel=pixel, given=given)
        if len(table) > most:
            most, start = len(table), sum(len(each) for each in parts)
            where = np.full(int(labels.max(initial=0)) + 1, -1)
            where[table["number"]] = start + np.arange(len(table))
            busiest = (image, labels, where)
        rings = outlines_of(labels)
        outlines += [(rings[number] - MARGIN) * pixel + corner for number in table["number"]]
        parts.append(_on_slide(table, corner, pixel=pixel, mpp=slide.mpp))
    nuclei = pd.concat(parts, ignore_index=True).drop(columns="number")
    own = nuclei["kind"] if "kind" in nuclei else pd.Series("", index=nuclei.index)
    nuclei["kind"] = own.where(own != "", pd.Series(kinds_of(nuclei), index=nuclei.index))
    mm2 = sum(share for _, share in places) * (SIDE * finder.mpp / 1000) ** 2
    assert busiest is not None
    return Found(nuclei=nuclei, outlines=outlines, mm2=mm2, busiest=busiest)


def _on_slide(table: pd.DataFrame, corner: tuple[int, int], *, pixel: float, mpp: float) -> pd.DataFrame:
    """The nuclei of a window in pixels of the finest level, and in um."""
    places = {axis: (table[axis] - MARGIN + 0.5) * pixel + corner[n] for n, axis in enumerate("xy")}
    return table.assign(**places, **{f"{axis}_um": place * mpp for axis, place in places.items()})


def _drawn(places: list[Place], count: int | None, *, seed: int) -> list[Place]:
    if not places:
        raise SpecimenError("no tissue found on the slide; look at it, and leave it out if it is blank")
    if count is None or len(places) <= count:
        return places
    return [places[each] for each in np.sort(np.random.default_rng(seed).choice(len(places), count, replace=False))]


def _windows(slide: Slide, finder: Finder) -> Iterator[Place]:
    """Each window with tissue."""
    tissue = overview(slide).pieces.tissue
    step = extent(side=SIDE, mpp=finder.mpp, native=slide.mpp)
    scale = np.array([tissue.shape[1], tissue.shape[0]]) / slide.size
    for y in np.arange(0, slide.size[1], step):
        for x in np.arange(0, slide.size[0], step):
            (left, right), (top, bottom) = (
                (int(start * each), max(int(np.ceil((start + step) * each)), int(start * each) + 1))
                for start, each in zip((x, y), scale, strict=True)
            )
            share = float(tissue[top:bottom, left:right].sum() / ((bottom - top) * (right - left)))
            inside = min(1.0, (slide.size[0] - x) / step) * min(1.0, (slide.size[1] - y) / step)
            if share >= LEAST_TISSUE:
                yield (int(x), int(y)), min(share, 1.0) * inside


def _window(
    slide: Slide, finder: Finder, corner: tuple[int, int], *, pixel: float, given: Detections | None
) -> tuple[NDArray[np.uint8], Labels, pd.DataFrame]:
    begin = (round(corner[0] - MARGIN * pixel), round(corner[1] - MARGIN * pixel))
    side = TilePixels(SIDE + 2 * MARGIN)
    image = slide.read(begin, side=side, mpp=finder.mpp)
    labels, source = (finder(image), None) if given is None else given.within(corner=begin, pixel=pixel, side=side)
    table = measure_nuclei(image, labels, mpp=finder.mpp)
    if source is not None and given is not None:
        table["kind"] = [given.kinds[source[number - 1]] for number in table["number"]]
    core = table[["x", "y"]].to_numpy()
    inside = ((core >= MARGIN - 0.5) & (core < MARGIN + SIDE - 0.5)).all(axis=1)
    return image, labels, table.iloc[np.flatnonzero(inside)]


def write_nuclei(
    paths: Sequence[Path],
    *,
    out: Path,
    finder: Finder,
    mpp: float | None = None,
    windows: int | None = None,
    detections: Path | None = None,
) -> pd.DataFrame:
    """Find the nuclei of slides or pictures and write, by number in the order given, specimen_0001_nuclei.csv, .geojson
    and .png, and summary.csv, a row each, which is returned. NotAssessableError where none could be read.
    """
    how = finder.name if detections is None else f"outlines of a {detections.suffix} file"
    given = None if detections is None else read_detections(detections)
    rows, failures = [], []
    for row, path in enumerate(paths, start=1):
        try:
            with open_slide(path, mpp=None if mpp is None else MicronsPerPixel(mpp)) as slide:
                own = None if given is None else given.on(mpp=slide.mpp, origin=slide.origin)
                found = find_nuclei(slide, finder, windows=windows, given=own)
                shown_from = slide.origin
        except SpecimenError as error:
            failures.append({"row": row, "error": str(error)})
            continue
        _write(found, stem=out / f"specimen_{row:04d}_nuclei", note=f"{how}; research use only", origin=shown_from)
        rows.append({"row": row, "found_by": how} | found.summary())
    if not rows:
        raise NotAssessableError(f"no specimen could be read; {failures[0]['error']}", failures=pd.DataFrame(failures))
    table = pd.concat([pd.DataFrame(rows), pd.DataFrame(failures)], ignore_index=True).sort_values("row")
    with sealing(out / "summary.csv") as temporary:
        table.to_csv(temporary, index=False, float_format="%.5g")
    return table


def _write(found: Found, *, stem: Path, note: str, origin: tuple[int, int]) -> None:
    with sealing(stem.with_suffix(".csv")) as temporary:
        found.nuclei.to_csv(temporary, index=False, float_format="%.4g")
    shown = [ring - origin for ring in found.outlines]
    write_detections(stem.with_suffix(".geojson"), shown, list(found.nuclei["kind"]), note=note)
    draw_busiest(found, path=stem.with_suffix(".png"), note=note)


def draw_busiest(found: Found, *, path: Path, note: str) -> None:
    """The window of most nuclei, as it is and with each nucleus edged in the colour of its class."""
    image, labels, where = found.busiest
    figure = Figure(figsize=(9, 5), dpi=130, layout="constrained")
    plain, edged = figure.subplots(1, 2)
    plain.imshow(image)
    kinds = ["" if place < 0 else str(found.nuclei["kind"].iloc[place]) for place in where]
    edged.imshow(edged_nuclei(image, labels, kinds=kinds))
    counts = found.nuclei["kind"].value_counts()
    edged.set_title(", ".join(f"{count} {kind}" for kind, count in counts.items()) + " on the slide", fontsize=8)
    for axes in (plain, edged):
        axes.set_axis_off()
    figure.supxlabel(f"orange: parenchymal, violet: lymphocyte, green: stromal; {note}", fontsize=8)
    with replacing(path) as temporary:
        figure.savefig(temporary)


def edged_nuclei(image: NDArray[np.uint8], labels: Labels, *, kinds: Sequence[str]) -> NDArray[np.uint8]:
    """The image, twice as large, with the edge of each nucleus in the colour of `kinds` of its label."""
    large = np.array(Image.fromarray(image).resize((2 * image.shape[1], 2 * image.shape[0])))
    wide = labels.repeat(2, axis=0).repeat(2, axis=1)
    inner = (np.roll(wide, 1, 0) == wide) & (np.roll(wide, -1, 0) == wide)
    inner &= (np.roll(wide, 1, 1) == wide) & (np.roll(wide, -1, 1) == wide)
    edge = ~inner & (wide > 0)
    palette = np.array([COLOURS.get(kind, GREY) for kind in kinds], np.uint8)
    large[edge] = palette[wide[edge]]
    return large

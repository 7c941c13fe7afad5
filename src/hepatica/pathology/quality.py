"""Quality: slides before any training, as thumbnails with tissue, ink and folds outlined, and what is measured."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import SpecimenError
from hepatica.cohort.specimens import Specimen
from hepatica.cohort.units import MicronsPerPixel
from hepatica.pathology.outlines import region_of
from hepatica.pathology.reader import as_specimen_error
from hepatica.pathology.slide import open_slide
from hepatica.pathology.survey import FOCUS_MPP, FOCUS_SIDE, blur_share, overview
from hepatica.pathology.tiles import Tiling, grid
from hepatica.pathology.tissue import Pieces, appearance

COLUMNS, ROWS = 4, 3
"""Slides side by side and below each other on a sheet."""

LONGEST = 400
"""Pixels of the longer side of a thumbnail on a sheet."""

EDGES = {"tissue": "#009e73", "ink": "#d55e00", "fold": "#0072b2"}
"""Colour of the outline of each: green, vermilion and blue that colour-blind readers tell apart (Okabe and Ito)."""

_WORKERS = 4
_SHARES = {"tissue_share": "tissue", "ink_share": "ink", "fold_share": "folds", "blur_share": "blurred"}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was seen of one slide: its measures, and the picture (h w 3) uint8 with its masks; or the reason why not."""

    specimen: Specimen
    measures: dict[str, float] = field(default_factory=dict)
    picture: np.ndarray | None = None
    pieces: Pieces | None = None
    reason: str = ""


def check_slides(specimens: Sequence[Specimen], *, out: Path) -> tuple[pd.DataFrame, list[Path]]:
    """Write sheets of thumbnails, slides_01.png …, into `out`; a table, and the sheets.

    The table has one row a slide: row (of specimens.csv, by which the sheets call it), specimen_id, mpp, tissue_share
    and ink_share (of the slide, 0..1), fold_share and blur_share (of the tissue, 0..1), reason (why it cannot be used).
    """
    rows: list[dict[str, object]] = []
    sheets: list[Path] = []
    with ThreadPoolExecutor(_WORKERS) as pool:
        for start in range(0, len(specimens), COLUMNS * ROWS):
            checked = list(pool.map(check_slide, specimens[start : start + COLUMNS * ROWS]))
            sheets.append(out / f"slides_{len(sheets) + 1:02d}.png")
            _draw(checked, sheets[-1])
            rows += [_row(each) for each in checked]
    columns = ["row", "specimen_id", "mpp", *_SHARES, "reason"]
    return pd.DataFrame(rows, columns=columns), sheets


def _row(checked: Checked) -> dict[str, object]:
    own = checked.specimen
    return {"row": own.row, "specimen_id": own.specimen_id, "reason": checked.reason, **checked.measures}


def check_slide(specimen: Specimen) -> Checked:
    """Look at one slide, or at the region that a specimen is."""
    try:
        with (
            as_specimen_error(specimen.path),
            open_slide(specimen.path, mpp=specimen.mpp, force=specimen.force_mpp) as slide,
        ):
            picture, pieces = overview(slide, region_of(specimen, origin=slide.origin))
            tiling = Tiling(side=FOCUS_SIDE, mpp=MicronsPerPixel(max(FOCUS_MPP, slide.mpp)))
            corners = grid(pieces.tissue, size=slide.size, mpp=slide.mpp, tiling=tiling)
            blur = blur_share(slide, corners) if len(corners) else np.nan
            looks = {**appearance(picture, pieces), "blur_share": blur, "mpp": float(slide.mpp)}
    except SpecimenError as error:
        return Checked(specimen=specimen, reason=str(error))
    step = -(-max(picture.shape) // LONGEST)
    shown = Pieces(*(each[::step, ::step] for each in pieces))
    measures = {name: looks[name] for name in ("mpp", *_SHARES)}
    reason = "" if pieces.tissue.any() else "no tissue found"
    return Checked(specimen=specimen, measures=measures, picture=picture[::step, ::step], pieces=shown, reason=reason)


def _draw(checked: Sequence[Checked], path: Path) -> None:
    figure = Figure(figsize=(2.6 * COLUMNS, 2.5 * ROWS), dpi=130, layout="constrained")
    panels: list[Axes] = list(np.ravel(figure.subplots(ROWS, COLUMNS)))
    for axes in panels:
        axes.set_axis_off()
    for axes, each in zip(panels, checked, strict=False):
        axes.set_title(_title(each), fontsize=7)
        if each.picture is None or each.pieces is None:
            axes.text(0.5, 0.5, fill(each.reason, 42), transform=axes.transAxes, ha="center", va="center", fontsize=6)
            continue
        axes.imshow(each.picture)
        for mask, colour in zip(each.pieces, EDGES.values(), strict=True):
            if mask.any() and not mask.all():
                axes.contour(mask, levels=[0.5], colors=colour, linewidths=0.9)
    figure.supxlabel("outlined: tissue green, pen ink vermilion, folds blue", fontsize=8)
    with replacing(path) as temporary:
        figure.savefig(temporary)


def _title(checked: Checked) -> str:
    if not checked.measures:
        return f"row {checked.specimen.row}: not readable"
    shares = [f"{word} {checked.measures[name]:.0%}" for name, word in _SHARES.items()]
    return f"row {checked.specimen.row}: {', '.join(shares[:2])}\n{', '.join(shares[2:])}".replace("nan%", "unknown")

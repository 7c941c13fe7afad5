"""Segmentation: overlap, distance and volume error of predicted masks, case by case and on average."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain, cycle

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.evaluate.by_task import has_lesions, scans_of, segmented
from hepatica.evaluate.segmentation.lesions import FrocPoint, froc
from hepatica.report.figures.boxes import box, sideways
from hepatica.report.page import Block, Figure, Gallery, Results, Run, Section, Table
from hepatica.report.page.style import INK, LOW
from hepatica.report.page.wording import METRICS, cell

CASES = "cases.parquet"
"""Beside the results of a cohort, one row a case: patient_id, and columns as `evaluate.measure_case` names them; where
there are several classes, one row a case and class.
"""

PART = "class_or_quantity"


def section(run: Run, gallery: Gallery) -> Section | str:
    """Of each class box plots of every case, and the means with intervals that rest on patients; of lesions how many
    are hit at how many false positives.
    """
    found = [(each, own) for each in run.cohorts if (own := cases(each)) is not None]
    if not found:
        return f"No case was measured ({CASES}): segmentation cannot be assessed."
    parts = dict.fromkeys(name for _, table in found for name in table[PART])
    blocks = [
        block
        for part in parts
        for block in _part(str(part), [(each.title, table[table[PART] == part]) for each, table in found], gallery)
    ]
    return Section(anchor="segmentation", title="Segmentation", blocks=blocks)


def _part(part: str, columns: Sequence[tuple[str, pd.DataFrame]], gallery: Gallery) -> list[Block]:
    """Figure and table of one class; the name is empty where there is one."""
    names = [str(name) for name in columns[0][1].select_dtypes("number") if name in METRICS]
    what = part or "regions"
    panels = [
        gallery.draw(
            f"segmentation_{name}_{part}".strip("_"),
            partial(_paint, columns=[(title, table[name].dropna().to_numpy()) for title, table in columns], name=name),
            alt=f"Box plots of {METRICS[name]} of {what} by cohort",
        )
        for name in names
    ]
    means = [segmented(table) for _, table in columns]
    table = Table(
        caption=f"Predicted and outlined {what}: means over cases, with 95% confidence intervals.",
        header=["", *(f"{title}, {len(own)} cases" for title, own in columns)],
        rows=[[METRICS[name], *(cell(mean.get(name)) for mean in means)] for name in dict.fromkeys(chain(*means))],
        note="Intervals are clustered by patient.",
    )
    figure = Figure(caption=f"Every case, {what}; boxes are quartiles.", panels=panels, columns=3)
    matched = {title: froc(scans_of(own), group=own["patient_id"]) for title, own in columns if has_lesions(own)}
    curves = {title: points for title, points in matched.items() if points}
    if not curves:
        return [figure, table]
    drawn = gallery.draw("froc", partial(_paint_froc, curves=curves), alt="Lesions hit by false positives per scan")
    caption = "Lesions hit against false positives per scan (FROC), as the cut-off on a region's probability falls."
    return [figure, table, Figure(caption=caption, panels=[drawn])]


def cases(results: Results) -> pd.DataFrame | None:
    """Measured cases of the reported patients; None where there are none."""
    own = results.own_rows(CASES, results.reported.index)
    return own if own is None or PART in own else own.assign(**{PART: ""})


def _paint(figure: Drawing, *, columns: list[tuple[str, np.ndarray]], name: str) -> None:
    axes = figure.subplots()
    for place, (_, values) in enumerate(columns):
        if values.size:  # a distance to an empty mask is none
            box(axes, values, place=place, colour=INK)
        axes.plot(sideways(values.size, place=place), values, "o", color=LOW, markersize=3, alpha=0.7)
    axes.set_xticks(range(len(columns)), labels=[title.replace(": ", ":\n") for title, _ in columns])
    axes.set(ylabel=METRICS[name], xlim=(-0.6, len(columns) - 0.4))


def _paint_froc(figure: Drawing, *, curves: Mapping[str, Sequence[FrocPoint]]) -> None:
    axes = figure.subplots()
    for (title, points), colour in zip(curves.items(), cycle((INK, LOW)), strict=False):
        places = [(each.false_positives.value, each.sensitivity.value) for each in points]
        axes.step(*zip(*places, strict=True), where="post", label=title, color=colour)
    axes.set(xlabel=METRICS["false_positives"], ylabel=METRICS["lesion_sensitivity"], ylim=(0, 1.02), xlim=(0, None))
    axes.legend(frameon=False, fontsize=8)

"""Segmentation: overlap, distance and volume error of predicted masks, case by case and on average."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.evaluate import segmentation_metrics
from hepatica.report.figures.boxes import box, sideways
from hepatica.report.page import Block, Figure, Gallery, Results, Run, Section, Table
from hepatica.report.page.style import INK, LOW
from hepatica.report.page.wording import METRICS, cell

CASES = "cases.parquet"
"""Beside the results of a cohort, one row a case: patient_id, and columns as `evaluate.measure_case` names them."""


def section(run: Run, gallery: Gallery) -> Section | str:
    """Box plots of every case, and the means with intervals that rest on patients."""
    found = [(each, own) for each in run.cohorts if (own := cases(each)) is not None]
    if not found:
        return f"No case was measured ({CASES}): segmentation cannot be assessed."
    names = [str(name) for name in found[0][1] if name != "patient_id"]
    panels = [
        gallery.draw(
            f"segmentation_{name}",
            partial(
                _paint, columns=[(each.title, table[name].dropna().to_numpy()) for each, table in found], name=name
            ),
            alt=f"Box plots of {METRICS[name]} by cohort",
        )
        for name in names
    ]
    means = [segmentation_metrics(table[names], group=table["patient_id"]) for _, table in found]
    table = Table(
        caption="Predicted and outlined regions: means over cases, with 95% confidence intervals.",
        header=["", *(f"{each.title}, {len(table)} cases" for each, table in found)],
        rows=[[METRICS[name], *(cell(mean[name]) for mean in means)] for name in names],
        note="Intervals are clustered by patient.",
    )
    caption = "Every case; boxes are quartiles."
    blocks: list[Block] = [Figure(caption=caption, panels=panels, columns=3), table]
    return Section(anchor="segmentation", title="Segmentation", blocks=blocks)


def cases(results: Results) -> pd.DataFrame | None:
    """Measured cases of the reported patients; None where there are none."""
    return results.own_rows(CASES, results.reported.index)


def _paint(figure: Drawing, *, columns: list[tuple[str, np.ndarray]], name: str) -> None:
    axes = figure.subplots()
    for place, (_, values) in enumerate(columns):
        box(axes, values, place=place, colour=INK)
        axes.plot(sideways(values.size, place=place), values, "o", color=LOW, markersize=3, alpha=0.7)
    axes.set_xticks(range(len(columns)), labels=[title.replace(": ", ":\n") for title, _ in columns])
    axes.set(ylabel=METRICS[name], xlim=(-0.6, len(columns) - 0.4))

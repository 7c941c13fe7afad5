"""ROC: Figure 2 of Wang 2021, the model's curve over all patients and over those that were read, readers as points."""

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from sklearn.metrics import roc_curve

from hepatica.evaluate import ReaderTable, Reading, auroc
from hepatica.report.page.blocks import Block, Figure, Panel, Section, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Results, Run
from hepatica.report.page.style import ALERT, INK, QUIET, SERIES, say, unit_square
from hepatica.studies.wang_2021.chapters.found import MACHINE, read_by

READER = "#616e7c"
"""Grey stars are readers, the red star is their mean, as in the paper."""


def section(run: Run, gallery: Gallery) -> Section:
    """A panel of all patients and one of those the readers read, a cohort."""
    panels = [panel for each in run.cohorts for panel in _panels(run, each, gallery)]
    caption = (
        "Figure 2 of the paper. ROC curves of the model; the ring is its locked cut-off. Left all reported patients,"
        " right those that were read: grey stars are readers without help, the red star is their mean."
    )
    told = (
        "A reader has one point, the model a curve. A reader below the curve does worse than the model would at the"
        " reader's own specificity; whether more than by chance, the next chapter tests."
    )
    blocks: list[Block] = [Text(text=told), Figure(caption=caption, panels=panels)]
    unread = [each.title for each in run.cohorts if read_by(each, run.targets[0]) is None]
    if unread:
        blocks.append(Text(text=f"No readings of the reported patients of {' and '.join(unread)}.", tone="note"))
    return Section(anchor="roc", title="Curves, and readers beside them", blocks=blocks)


def _panels(run: Run, results: Results, gallery: Gallery) -> list[Panel]:
    known = results.outcomes(run.targets[0]).dropna(subset=["label"])
    called = (known["group"] == "high").to_numpy()
    everybody = partial(
        _paint, label=known["label"].to_numpy() == 1, score=known["score"].to_numpy(), called=called,
        title=f"{results.title}\nall patients",
    )  # fmt: skip
    panels = [gallery.draw(f"roc_all_{results.key}", everybody, alt=f"ROC curve of the model, {results.title}")]
    table = read_by(results, run.targets[0])
    if table is not None:
        read = partial(paint_read, table=table, title=f"{results.title}\npatients that were read")
        alt = f"ROC curve of the model and points of {len(table.readers)} readers, {results.title}"
        panels.append(gallery.draw(f"roc_read_{results.key}", read, alt=alt))
    return panels


def _paint(figure: Drawing, *, label: np.ndarray, score: np.ndarray, called: np.ndarray, title: str) -> None:
    axes = figure.subplots()
    axes.set_title(title)
    if label.all() or not label.any():
        say(axes, "All patients are of one kind:\nthere is nothing to tell apart.")
        return
    curve(axes, label, score, called)
    finish(axes)


def paint_read(figure: Drawing, *, table: ReaderTable, title: str) -> None:
    """The model's curve and point, each reader's point in the first arm, and the mean of these."""
    axes = figure.subplots()
    axes.set_title(title)
    machine(axes, table)
    unaided = next(iter(table.arms.values()))
    x, y = points(table, unaided)
    axes.plot(x, y, "*", color=READER, markersize=10, label="readers", linestyle="", clip_on=False)
    axes.plot(x.mean(), y.mean(), "*", color=ALERT, markersize=13, label="mean of readers", linestyle="", clip_on=False)
    finish(axes)


def machine(axes: Axes, table: ReaderTable) -> None:
    """The model's curve and its point at the locked cut-off, over the cases of a reader study."""
    if table.machine is not None and table.machine.scores is not None:
        curve(axes, table.label, table.machine.scores[0], table.called(table.machine)[0])


def curve(axes: Axes, label: np.ndarray, score: np.ndarray, called: np.ndarray) -> None:
    """A ROC curve with its area and a ring at the rates of `called` (n,)."""
    false_alarms, sensitivity, _ = roc_curve(label, score, drop_intermediate=False)
    found = auroc(label, score=score)
    axes.plot(false_alarms, sensitivity, color=SERIES[0], label=f"{MACHINE}: {found}, n = {found.n}")
    at = called[~label].mean(), called[label].mean()
    axes.plot(
        *at, "o", color=SERIES[0], markersize=9, markerfacecolor="none", markeredgewidth=1.6, label=f"{MACHINE}, locked"
    )


def points(table: ReaderTable, reading: Reading) -> tuple[np.ndarray, np.ndarray]:
    """Share of false alarms (readers,) and sensitivity (readers,) of each reader."""
    called, label = table.called(reading), table.label
    return called[:, ~label].mean(axis=1), called[:, label].mean(axis=1)


def finish(axes: Axes) -> None:
    """Chance, axes and key."""
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8, linestyle=":")
    unit_square(axes, xlabel="1 \N{MINUS SIGN} specificity", ylabel="Sensitivity")
    axes.legend(loc="lower right", handlelength=1.2, labelspacing=0.3, fontsize=8, labelcolor=INK)

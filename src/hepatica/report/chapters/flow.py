"""Flow: who entered each cohort, who left at which step and why, and who is behind each result."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import FancyBboxPatch

from hepatica.cohort import Target
from hepatica.report.page import Block, Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.style import FAINT, INK, LOW, QUIET
from hepatica.report.page.wording import FOLDS, VERSUS, about, heading, level, outcomes, patients, share

_LOST = {"with a specimen": "no specimen", "with a usable specimen": "no usable specimen"}
"""The reason for not reaching a step."""


def section(run: Run, gallery: Gallery) -> Section:
    """Diagram of each cohort, outcomes at each target, specimens that failed."""
    figure = gallery.by_cohort(
        "flow",
        run.cohorts,
        _paint,
        alt=_in_words,
        caption="Patients and specimens from the tables to the results. Boxes on the right count those who left at a"
        " step. The network was trained on training patients and monitored on tuning patients; only the others are"
        " reported. Set aside are patients whom the system's own rule excludes from training, or whose outcome is"
        " unknown: the model predicts them but was not trained on them.",
        size=(4.6, 4.9),
    )
    return Section(anchor="flow", title="Cohort flow", blocks=[figure, _outcomes(run), *_failures(run)])


def _split(results: Results) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The steps everybody passes, and the folds at their end."""
    steps = results.cohort["flow"]
    return (
        [step for step in steps if not step["step"].startswith("fold ")],
        sorted((step for step in steps if step["step"].startswith("fold ")), key=_place),
    )


def _place(fold: dict[str, Any]) -> int:
    """Training first, those set aside last."""
    name = fold["step"].removeprefix("fold ")
    return list(FOLDS).index(name) if name in FOLDS else len(FOLDS)


def _counts(step: dict[str, Any]) -> str:
    return f"{patients(step['patients'])}\n{step['specimens']} specimens"


def _fold(step: dict[str, Any]) -> str:
    name = str(step["step"]).removeprefix("fold ")
    return FOLDS.get(name, name)


def _in_words(results: Results) -> str:
    steps, folds = _split(results)
    counts = [f"{step['step']} {step['patients']}" for step in steps]
    counts += [f"{_fold(step).lower()} {step['patients']}" for step in folds]
    return f"Flow of {results.title}: {', '.join(counts)}"


def _paint(figure: Drawing, *, results: Results) -> None:
    axes = figure.subplots()
    axes.set(xlim=(0, 1), ylim=(0, 1), title=results.title)
    axes.set_axis_off()
    steps, folds = _split(results)
    heights = [0.9 - 0.24 * place for place in range(len(steps))]
    for place, (step, y) in enumerate(zip(steps, heights, strict=True)):
        _box(axes, 0.28, y, f"{step['step'].capitalize()}\n{_counts(step)}", width=0.5)
        if place:
            _arrow(axes, (0.28, heights[place - 1] - 0.085), (0.28, y + 0.085))
            _left(axes, steps[place - 1], step, y=(heights[place - 1] + y) / 2)
    _folds(axes, folds, top=heights[-1] - 0.085)


def _left(axes: Axes, before: dict[str, Any], after: dict[str, Any], *, y: float) -> None:
    """The box of those who left between two steps; also where it is no patient."""
    lost, files = before["patients"] - after["patients"], before["specimens"] - after["specimens"]
    why = _LOST.get(after["step"], "left")
    axes.plot([0.28, 0.585], [y, y], color=QUIET, linewidth=0.8)
    _box(axes, 0.79, y, f"{patients(lost)}, {files} specimens\n{why}", width=0.41, height=0.11, quiet=True)


def _folds(axes: Axes, folds: Sequence[dict[str, Any]], *, top: float) -> None:
    for place, step in enumerate(folds):
        x = (place + 0.5) / max(len(folds), 2)
        _arrow(axes, (0.28, top), (x, 0.2))
        _box(axes, x, 0.1, f"{_fold(step)}\n{_counts(step)}", width=min(0.92 / max(len(folds), 2), 0.4), height=0.19)


def _box(axes: Axes, x: float, y: float, text: str, *, width: float, height: float = 0.17, quiet: bool = False) -> None:
    axes.text(x, y, text, ha="center", va="center", fontsize=8.5, color=QUIET if quiet else INK, linespacing=1.35)
    box = FancyBboxPatch(
        (x - width / 2, y - height / 2),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.012",
        facecolor="white" if quiet else "#f2f7fb",
        edgecolor=FAINT if quiet else LOW,
        linewidth=0.9,
        zorder=0,
    )
    axes.add_patch(box)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": QUIET, "linewidth": 0.8, "shrinkB": 0})


def _outcomes(run: Run) -> Table:
    rows: list[list[str]] = []
    for target in run.targets:
        rows += [[heading(target)], *_counted(run, target)]
    note = ""
    if run.targets[0].task == "binary":
        note = (
            "Patients censored before a horizon are never counted as event-free: in its discrimination and calibration,"
            " those with a known outcome weigh for them; the survival results use all patients."
            if run.followed
            else "Patients whose diagnosis is unknown enter no result."
        )
    return Table(
        caption="Outcomes of the patients behind each result, n (%).",
        header=["Outcome", *(each.title for each in run.cohorts)],
        rows=rows,
        note=note,
    )


def _counted(run: Run, target: Target) -> list[list[str]]:
    """Patients with each outcome of a target, of the reported ones."""
    if target.task not in ("binary", "survival"):
        return _classes(run, target)
    tables = [each.outcomes(target) for each in run.cohorts]

    def row(name: str, members: Callable[[pd.DataFrame], "pd.Series[bool]"]) -> list[str]:
        return [name[:1].upper() + name[1:], *(share(int(members(each).sum()), len(each)) for each in tables)]

    with_it, without = outcomes(target)
    unknown = "Neither, or unknown" if VERSUS in about(target) else "Unknown"
    unknown = "Unknown: censored earlier" if target.followed else unknown
    if target.task == "survival":
        return [row(with_it, lambda table: table["event"] == 1)]
    return [
        row(with_it, lambda table: table["label"] == 1),
        row(without, lambda table: table["label"] == 0),
        row(unknown, lambda table: table["label"].isna()),
    ]


def _classes(run: Run, target: Target) -> list[list[str]]:
    """Patients of each class, and those without an outcome."""
    known = [each.endpoint(target).strata(each.reported) for each in run.cohorts]
    levels = dict.fromkeys(name for each in run.cohorts for name in getattr(each.endpoint(target), "classes", ()))
    rows = [[level(name), *(share(int((each == name).sum()), len(each)) for each in known)] for name in levels]
    return [*rows, ["Unknown", *(share(int(each.isna().sum()), len(each)) for each in known)]]


def _failures(run: Run) -> list[Block]:
    rows = [
        [f"{each.title}, row {fault['row']}", fault["error"]]
        for each in run.cohorts
        for fault in each.cohort["failures"]
    ]
    if not rows:
        return [Text(text="No specimen failed.", tone="note")]
    caption = "Specimens that could not be used, by their row in specimens.csv."
    return [Table(caption=caption, header=["Specimen", "Reason"], rows=rows)]

"""With help: Table 5 and Figure 4 of Wang 2021, readers without and with the model's probability before them."""

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from hepatica.evaluate import ReaderTable, study_readers
from hepatica.report.page.blocks import Block, Figure, Panel, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Results, Run
from hepatica.report.page.style import SERIES
from hepatica.report.page.wording import METRICS, NONE, p_value
from hepatica.studies.wang_2021.chapters.found import read_by
from hepatica.studies.wang_2021.chapters.published import AIDED_P, WHERE
from hepatica.studies.wang_2021.chapters.reader_rows import RATES, mcnemar_table, rate, rates_of, versus_cells
from hepatica.studies.wang_2021.chapters.roc import finish, machine, points

COLOURS = (SERIES[1], SERIES[2], SERIES[3], SERIES[4], SERIES[5])
"""Of readers; the first colour of the series is the model's."""

CAUTION = (
    "Here the same readers read the same patients again with the model's probability before them. The paper's paired t"
    " test over three readers takes the patients for all there are; the test of Obuchowski and Rockette does not. A"
    " reader who has read a patient before may remember him, and one who reads later has learnt: without a group that"
    " reads twice without help, a gain is not the model's alone. Table 5 of the paper is printed with sensitivity and"
    " specificity, and precision and negative predictive value, in each other's rows."
)


def section(run: Run, gallery: Gallery) -> Section:
    """A panel and a table a cohort; a line where readers read once only."""
    found = [(each, read_by(each, run.targets[0]), WHERE[min(place, 1)]) for place, each in enumerate(run.cohorts)]
    twice = [(each, table, where) for each, table, where in found if table is not None and len(table.arms) == 2]
    title = "Readers with and without the model"
    if not twice:
        none = Text(text="No reported patients were read both without and with the model's help.", tone="note")
        return Section(anchor="help", title=title, blocks=[none])
    caption = (
        "Figure 4 of the paper. Each reader without help (filled) and with it (hollow), joined by an arrow, over the"
        " model's ROC curve on the same patients; the ring is the model's locked cut-off."
    )
    panels = [_panel(each, table, gallery) for each, table, _ in twice]
    blocks: list[Block] = [Text(text=CAUTION), Figure(caption=caption, panels=panels)]
    for each, table, where in twice:
        blocks += helped(table, each, where=where)
    return Section(anchor="help", title=title, blocks=blocks)


def helped(table: ReaderTable, results: Results, *, where: str) -> list[Block]:
    """Rates of every reader with help, and both arms compared."""
    study = study_readers(table)
    (_, before), (name, after) = study.arms.items()
    header = ["", *(f"{reader}, {name}" for reader in table.readers), "Mean before", f"Mean {name}"]
    header += [f"{name.capitalize()} minus before", "P, readers and cases", "P, paired t over readers", "Paper's P"]
    rows = []
    for each in RATES:
        if not any(each in found for found in after.per_reader.values()):
            continue
        *own, mean = rates_of(after, each)
        paper = p_value(AIDED_P[where][each]) if each in AIDED_P[where] else NONE
        rows.append(
            [METRICS[each], *own, rate(before.average.get(each)), mean, *versus_cells(study.aided, each), paper]
        )
    rates = Table(
        caption=f"Table 5 of the paper: readers with the model's help. {results.title}, n = {table.label.size}.",
        header=header,
        rows=rows,
        note="Rates of single readers have exact intervals; those of means and differences hold for other readers and"
        " other patients. The paper's P is that of its own readers and patients; from its counts, 0.026 and 0.013.",
    )
    if study.aided is None:
        return [rates]
    caption = f"McNemar's exact P of each reader, with against without help. {results.title}."
    note = "On the same patients: all, those with HCC (sensitivity), those without (specificity). Uncorrected."
    return [rates, mcnemar_table(study.aided, caption=caption, note=note)]


def _panel(results: Results, table: ReaderTable, gallery: Gallery) -> Panel:
    return gallery.draw(
        f"help_{results.key}",
        partial(paint, table=table, title=results.title),
        alt=f"Readers without and with the model's help in the ROC plane, {results.title}",
    )


def paint(figure: Drawing, *, table: ReaderTable, title: str) -> None:
    """Arrows of each reader from the first arm to the second."""
    axes = figure.subplots()
    axes.set_title(title)
    machine(axes, table)
    before, after = (np.stack(points(table, reading), axis=1) for reading in table.arms.values())
    for place, name in enumerate(table.readers):
        _arrow(axes, before[place], after[place], name=name, colour=COLOURS[place % len(COLOURS)])
    finish(axes)


def _arrow(axes: Axes, start: np.ndarray, end: np.ndarray, *, name: str, colour: str) -> None:
    style = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.2, "linestyle": "--", "shrinkA": 4, "shrinkB": 4}
    axes.annotate("", tuple(end), tuple(start), arrowprops=style)
    axes.plot(*start, "o", color=colour, markersize=6.5, label=name, clip_on=False)
    axes.plot(*end, "o", color=colour, markersize=6.5, markerfacecolor="white", markeredgewidth=1.5, clip_on=False)

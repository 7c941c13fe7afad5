"""Readers: readers and model on the same patients, and readers without and with the model's probability."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import Target
from hepatica.evaluate import ReaderTable, Reading, auroc, study_readers
from hepatica.evaluate.readers.reader_table import plain_words, refuse_other_words
from hepatica.evaluate.readers.readers import Arm, ReaderStudy, Versus
from hepatica.report.figures import roc
from hepatica.report.page import Block, Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.style import ALERT, QUIET, SERIES
from hepatica.report.page.wording import METRICS, NONE, about, cell, difference, p_value
from hepatica.runs.folder import READERS

ARMS = ("unaided", "aided")
"""Readers alone, and with the model's probability displayed."""

MACHINE = "AI"
"""What the model is called among readers."""

RATES = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "kappa", "f1", "auroc")
MCNEMAR = ("accuracy", "sensitivity", "specificity")

METHOD = (
    "A reader has one point, the model a curve: a reader below the curve performs worse than the model at the same"
    " specificity. Two tests compare them. A t test over a few readers treats the patients as fixed: its P does not"
    " extend to other patients, and a P above 0.05 is no evidence of equality. In the test of Obuchowski and Rockette,"
    " readers and patients are both samples. McNemar's exact test compares each reader on the same patients. Where"
    " intervals of differences are wide, the study is too small to show that readers and model are equal."
)
READ = (
    "ROC curves of the model on the patients that were read; the ring is its locked cut-off. Grey stars are readers"
    " without the model, the red star is their mean."
)
ARROWS = (
    "Each reader without the model (filled) and with it (hollow), joined by an arrow, over the model's ROC curve on the"
    " same patients."
)
AGAIN = (
    "The same readers read the same patients again with the model's probability displayed. A reader may remember a"
    " patient, and may have gained experience by the second reading: without a group that reads twice without the"
    " model, a gain cannot be attributed to the model alone."
)


@dataclass(frozen=True, kw_only=True)
class Printed:
    """P values that a paper prints, by metric, for its (internal, external) readers; `text` is a remark on them."""

    against: Sequence[Mapping[str, float]]
    aided: Sequence[Mapping[str, float]]
    text: str


def section(run: Run, gallery: Gallery, *, printed: Printed | None = None) -> Section | str:
    """ROC curves with the readers' points, tables of rates and tests, agreement; the same of readers with the model."""
    target = run.targets[0]
    tables = {each.key: table for each in run.cohorts if (table := read_by(each, target)) is not None}
    if not tables:
        return "No reported patients of both outcomes were read by readers (readers.csv): readers are left out."
    read = [each for each in run.cohorts if each.key in tables]
    twice = [each for each in read if len(tables[each.key].arms) == 2]

    def painted(paint: Callable[..., None]) -> Callable[..., None]:
        return lambda figure, *, results: paint(figure, table=tables[results.key], title=results.title)

    def alt(results: Results) -> str:
        return f"ROC curve of the model and points of {len(tables[results.key].readers)} readers, {results.title}"

    curves = gallery.by_cohort(
        "roc_read",
        read,
        painted(paint_read),
        alt=alt,
        caption=READ,
    )
    blocks: list[Block] = [Text(text=f"{METHOD} {printed.text}" if printed else METHOD), curves]
    unread = [each.title for each in run.cohorts if each.key not in tables]
    blocks += [Text(text=f"{each}: no reported patients of both classes were read.", tone="note") for each in unread]
    for each in read:
        paper = printed.against[0 if each.fold == "test" else 1] if printed else {}
        margin = run.settings["settings"].get("margin")
        blocks += against(tables[each.key], each, disease=about(target), paper=paper, margin=margin)
    if twice:
        arrows = gallery.by_cohort(
            "roc_aided",
            twice,
            painted(paint_aided),
            alt=alt,
            caption=ARROWS,
        )
        blocks += [Text(text=AGAIN), arrows]
    for each in twice:
        blocks += aided(tables[each.key], each, paper=printed.aided[0 if each.fold == "test" else 1] if printed else {})
    return Section(anchor="readers", title="Readers and model", blocks=blocks)


def read_by(results: Results, target: Target) -> ReaderTable | None:
    """The reader study of a cohort's reported patients; None where there is none.

    It is beside the results: one row a reading (case, reader, arm, truth, call, score; advice, the call that the model
    displayed in that reading).
    """
    path: Path = results.folder / READERS
    if not path.is_file():
        return None
    readings = pd.read_csv(path, dtype=dict.fromkeys(("case", "reader", "arm", "call", "advice"), str))
    for column in readings.columns.intersection(["call", "advice"]):
        readings[column] = plain_words(readings[column])
        known = readings.dropna(subset=["advice"]) if column == "advice" else readings
        refuse_other_words(known.assign(call=known[column]), ("0", "1"), file=f"{READERS}, {column}")
    return reader_table(readings, outcomes=results.outcomes(target))


def reader_table(readings: pd.DataFrame, *, outcomes: pd.DataFrame) -> ReaderTable | None:
    """The readings of patients with outcomes (label, score, group, by patient_id), the model beside the readers.

    The unaided arm comes first, whatever the order of the rows. Only cases that every reader read in every arm count;
    None where there are no such cases of both kinds. Truth is that of the model's own patients, so that all are judged
    by one truth.
    """
    known = outcomes.dropna(subset=["label"])
    own = readings[readings["case"].isin(known.index)].drop_duplicates(["case", "reader", "arm"])
    names, arms = list(dict.fromkeys(own["reader"])), sorted(own["arm"].unique(), key=ARMS.index)
    counts = own.groupby("case", sort=False).size()
    cases = list(counts.index[counts == len(names) * len(arms)])
    read = known.loc[cases]
    if read["label"].nunique() < 2:
        return None
    return ReaderTable(
        truth=_words(read["label"] == 1),
        positive="1",
        readers=tuple(names),
        arms={arm: _reading(own[own["arm"] == arm], names, cases) for arm in arms},
        machine=Reading(calls=_words(read["group"] == "high")[None], scores=read["score"].to_numpy(float)[None]),
    )


def _reading(rows: pd.DataFrame, readers: list[str], cases: list[str]) -> Reading:
    wide = rows.pivot(index="reader", columns="case").loc[readers]
    scores = wide["score"][cases].to_numpy(float) if "score" in rows else np.array([np.nan])
    advice = wide["advice"][cases] if "advice" in rows and rows["advice"].notna().all() else None
    return Reading(
        calls=_words(wide["call"][cases] == "1"),
        scores=scores if bool(np.isfinite(scores).all()) else None,
        advice=None if advice is None else _words(advice == "1"),
    )


def _words(called: "pd.Series[bool] | pd.DataFrame") -> np.ndarray:
    return np.where(called, "1", "0")


def paint_read(figure: Drawing, *, table: ReaderTable, title: str) -> None:
    """The model's curve, each reader's point in the first arm, and the mean of these."""
    axes = _machine(figure, table, title=title)
    x, y = _points(table, next(iter(table.arms.values())))
    axes.plot(x, y, "*", color=QUIET, markersize=10, label="readers", clip_on=False)
    axes.plot(x.mean(), y.mean(), "*", color=ALERT, markersize=13, label="mean of readers", clip_on=False)
    roc.key(axes)


def paint_aided(figure: Drawing, *, table: ReaderTable, title: str) -> None:
    """The model's curve, and an arrow of each reader from the first arm to the second."""
    axes = _machine(figure, table, title=title)
    before, after = (np.stack(_points(table, reading), axis=1) for reading in table.arms.values())
    for place, name in enumerate(table.readers):
        start, end, colour = before[place], after[place], SERIES[1 + place % (len(SERIES) - 1)]
        style = {"arrowstyle": "-|>", "color": colour, "linestyle": "--", "shrinkA": 4, "shrinkB": 4}
        axes.annotate("", tuple(end), tuple(start), arrowprops=style)
        axes.plot(*start, "o", color=colour, markersize=6.5, label=name, clip_on=False)
        axes.plot(*end, "o", color=colour, markersize=6.5, markerfacecolor="white", clip_on=False)
    roc.key(axes)


def _machine(figure: Drawing, table: ReaderTable, *, title: str) -> Axes:
    """Axes with the model's curve over the cases that were read."""
    axes = figure.subplots()
    axes.set_title(title)
    if table.machine is not None and table.machine.scores is not None:
        label, score = table.label, table.machine.scores[0]
        name = f"{MACHINE}: {auroc(label, score=score)}, n = {label.size}"
        called = table.called(table.machine)[0]
        roc.draw_curves(axes, [roc.Curve(name=name, label=label.astype(float), score=score, called=called)])
    return axes


def _points(table: ReaderTable, reading: Reading) -> tuple[np.ndarray, np.ndarray]:
    """False-positive rate (readers,) and sensitivity (readers,) of each reader."""
    called, label = table.called(reading), table.label
    return called[:, ~label].mean(axis=1), called[:, label].mean(axis=1)


def against(
    table: ReaderTable, results: Results, *, disease: str, paper: Mapping[str, float], margin: float | None = None
) -> list[Block]:
    """The first arm of a reader study against the model; `paper` holds printed P values by metric.

    Within a `margin`, if there is one, readers may be better and the model not inferior.
    """
    study = study_readers(table)
    name, arm = next(iter(study.arms.items()))
    machine = study.machine or {}
    rates = Table(
        caption=f"{name.capitalize()} readers and the model on the same patients. {results.title}, n ="
        f" {table.label.size}, {int(table.label.sum())} with {disease}.",
        header=["", *table.readers, "Mean of readers", MACHINE, "Readers minus model", *_tests(paper)],
        rows=[
            [METRICS[each], *_rates(arm, each), cell(machine.get(each)), *_versus(arm.against_machine, each, paper)]
            for each in _known(arm)
        ],
        note="Rates of single readers and of the model have exact intervals; those of the mean and of differences"
        " extend to other readers and other patients.",
    )
    return [
        rates,
        *_within(arm.against_machine, margin),
        *_mcnemar(arm.against_machine, f"the model. {results.title}", disease),
        *_agreement(arm, results),
    ]


def aided(table: ReaderTable, results: Results, *, paper: Mapping[str, float]) -> list[Block]:
    """Rates of every reader with the model, and both arms compared; `paper` holds printed P values by metric."""
    study = study_readers(table)
    (_, before), (name, after) = study.arms.items()
    rows = []
    for each in _known(after):
        *own, mean = _rates(after, each)
        versus = _versus(study.aided, each, paper)
        rows.append([METRICS[each], *own, cell(before.average.get(each)), mean, *versus])
    readers = [f"{reader}, {name}" for reader in table.readers]
    title = name.capitalize()
    rates = Table(
        caption=f"Readers with the model. {results.title}, n = {table.label.size}.",
        header=["", *readers, "Mean before", f"Mean {name}", f"{title} minus before", *_tests(paper)],
        rows=rows,
        note="Rates of single readers have exact intervals; those of means and differences extend to other readers and"
        " other patients.",
    )
    return [
        rates,
        *_mcnemar(study.aided, f"the same reader without the model. {results.title}", "the disease"),
        *_by_advice(study, results),
    ]


def _by_advice(study: ReaderStudy, results: Results) -> list[Block]:
    rows = [
        [f"Model {name}", str(each.readings), cell(each.before), cell(each.after), cell(each.gain)]
        for name, each in study.by_advice.items()
    ]
    table = Table(
        caption=f"Share of right calls by what the model had answered. {results.title}.",
        header=["", "Readings", "Before", "With the model", "Difference"],
        rows=rows,
        note="Intervals are clustered by reader and by patient. Readers who follow a model also follow its errors: the"
        " gain over all readings depends on how often it is right.",
    )
    return [table] if rows else []


def _known(arm: Arm) -> list[str]:
    """Rates that at least one reader has."""
    return [each for each in RATES if any(each in found for found in arm.per_reader.values())]


def _tests(paper: Mapping[str, float]) -> list[str]:
    return ["P, readers and cases", "P, t over readers", *(["Paper's P"] if paper else [])]


def _rates(arm: Arm, name: str) -> list[str]:
    """A rate of every reader, and of their average."""
    return [*(cell(found.get(name)) for found in arm.per_reader.values()), cell(arm.average.get(name))]


def _versus(versus: Versus | None, name: str, paper: Mapping[str, float]) -> list[str]:
    """Difference, its P over readers and cases, that of a t test over readers, and the paper's where it prints any."""
    theirs = [p_value(paper[name]) if name in paper else NONE] if paper else []
    if versus is None:
        return [NONE, NONE, NONE, *theirs]
    found = versus.over_readers_and_cases.get(name)
    own = NONE if found is None else p_value(found.p)
    return [difference(found), own, p_value(versus.t_p.get(name)), *theirs]


def _within(versus: Versus | None, margin: float | None) -> list[Block]:
    """In which rates the model is not inferior: the upper limit of readers minus model lies below the margin."""
    if versus is None or margin is None:
        return []
    limits = {METRICS[name]: each.difference.high for name, each in versus.over_readers_and_cases.items()}
    found = {name: high for name, high in limits.items() if high is not None}
    within = [name for name, high in found.items() if high < margin]
    beyond = [name for name in found if name not in within]
    text = (
        f"Margin of non-inferiority {margin:g}, stated beforehand. The model is not inferior to the mean of readers in"
    )
    return [Text(text=f"{text}: {', '.join(within) or 'none'}. Not shown for: {', '.join(beyond) or 'none'}.")]


def _mcnemar(versus: Versus | None, other: str, disease: str) -> list[Block]:
    """Exact McNemar P of each reader: over all cases, over those with the disease and over those without."""
    if versus is None:
        return []
    return [
        Table(
            caption=f"McNemar's exact P of each reader against {other}.",
            header=["", *(METRICS[name] for name in MCNEMAR)],
            rows=[[name, *(p_value(found[each]) for each in MCNEMAR)] for name, found in versus.mcnemar_p.items()],
            note=f"On the same patients: all, those with {disease} (sensitivity), those without (specificity)."
            " Uncorrected.",
        )
    ]


def _agreement(arm: Arm, results: Results) -> list[Block]:
    found = arm.agreement
    if found is None:
        return []
    text = (
        f"{results.title}: all readers agree on {cell(found.all_agree)} of the patients; Fleiss' kappa"
        f" {cell(found.kappa)}, z test against chance P {p_value(found.p)}."
    )
    return [Text(text=text)]

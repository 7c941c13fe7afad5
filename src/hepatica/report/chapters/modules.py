"""Modules: survival by each named part of a system's signature, such as the mean expression of a set of genes."""

from functools import partial

import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.evaluate import cox
from hepatica.report.chapters.follow_up.survival import TALL, competing, free_of
from hepatica.report.figures.kaplan_meier import Arm, log_rank, paint
from hepatica.report.page import Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.style import HIGH, LOW
from hepatica.report.page.wording import attempt, cell, equals, p_value

NOTE = (
    "Each value is the mean over a module of expressions, standardised by the training patients: 0 is their mean."
    " Neither the modules nor that limit were chosen on the patients shown. One SD is that of the internal test."
    " P values are not corrected for the number of modules."
)


def section(run: Run, gallery: Gallery) -> Section | str:
    """Kaplan-Meier curves above and below the training mean of each module, and its hazard ratio."""
    names = run.system.signature
    if not names or not run.followed:
        return ""
    found = {each.key: _joined(each, run) for each in run.cohorts}

    def draw(figure: Drawing, *, results: Results, name: str) -> None:
        own = found[results.key]
        sides = {"Above the training mean": (HIGH, own[own[name] > 0]), "Below": (LOW, own[own[name] <= 0])}
        arms = [Arm(name=side, colour=colour, patients=who) for side, (colour, who) in sides.items()]
        note = f"Log-rank P {equals(_log_rank(own, name))}"
        paint(figure, drawn=arms, title=f"{results.title}\n{name}", note=note, ylabel=free_of(run.targets[0]))

    figures = [
        gallery.by_cohort(
            f"module_{place}",
            run.cohorts,
            partial(draw, name=name),
            alt=f"Kaplan-Meier curves by the module of {name}",
            caption=f"Kaplan-Meier curves by the mean expression of the module of {name}.",
            size=TALL,
        )
        for place, name in enumerate(names, start=1)
    ]
    table = Table(
        caption="Survival by module, with 95% confidence intervals.",
        header=["", *(each.title for each in run.cohorts)],
        rows=[row for name in names for row in _rows(run, found, name)],
    )
    blocks = [*figures, *competing(run.targets[:1]), table, Text(text=NOTE, tone="note")]
    return Section(anchor="modules", title="Survival by module", blocks=blocks)


def _joined(results: Results, run: Run) -> pd.DataFrame:
    """Outcomes of the reported patients, and a column a module."""
    rows, signatures = results.regions()
    values = pd.DataFrame(signatures, columns=list(run.system.signature), index=pd.Index(rows["patient_id"]))
    return results.outcomes(run.targets[0]).join(values, how="inner")


def _log_rank(own: pd.DataFrame, name: str) -> str:
    return p_value(log_rank(own[own[name] > 0], own[own[name] <= 0]))


def _rows(run: Run, found: dict[str, pd.DataFrame], name: str) -> list[list[str]]:
    spread = found[run.internal.key][name].std()

    def ratio(own: pd.DataFrame) -> str:
        return cell(attempt(lambda: cox(own[[name]] / spread, time=own["time"], event=own["event"])[name].ratio))

    return [
        [f"Module of {name}"],
        ["Hazard ratio, per SD", *map(ratio, found.values())],
        ["Log-rank P, above vs. below the training mean", *(_log_rank(own, name) for own in found.values())],
    ]

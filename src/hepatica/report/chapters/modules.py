"""Modules: survival by each named part of a system's signature, such as the mean expression of a set of genes."""

from functools import partial

import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.evaluate import cox, log_rank_p
from hepatica.report.chapters.follow_up.survival import TALL, competing, free_of
from hepatica.report.figures.kaplan_meier import Arm, paint
from hepatica.report.page import Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.style import HIGH, LOW
from hepatica.report.page.wording import attempt, cell, equals, p_value

NOTE = (
    "Each value is the mean over a module of expressions, standardised by the training patients: 0 is their mean."
    " The patients shown here were used neither to find the modules nor to choose that limit. One SD is that of the"
    " internal test. P values are not corrected for the number of modules."
)


def section(run: Run, gallery: Gallery) -> Section | str:
    """Kaplan-Meier curves above and below the training mean of each module, and its hazard ratio."""
    names = run.system.signature
    if not names or not run.followed:
        return ""
    found = {each.key: _joined(each, run) for each in run.cohorts}
    figures = [
        gallery.by_cohort(
            f"module_{place}",
            run.cohorts,
            partial(_paint, run=run, found=found, name=name),
            alt=f"Kaplan-Meier curves by the module {name}",
            caption=f"Kaplan-Meier curves by the mean expression of the module {name}.",
            size=TALL,
        )
        for place, name in enumerate(names, start=1)
    ]
    rows = [row for name in names for row in ([f"Module {name}"], *_rows(run, found, name))]
    table = Table(
        caption="Survival by module, with 95% confidence intervals.",
        header=["", *(each.title for each in run.cohorts)],
        rows=rows,
    )
    blocks = [*figures, *competing(run.targets[:1]), table, Text(text=NOTE, tone="note")]
    return Section(anchor="modules", title="Survival by module", blocks=blocks)


def _joined(results: Results, run: Run) -> pd.DataFrame:
    """Outcomes of the reported patients, and a column a module."""
    rows, signatures = results.regions()
    values = pd.DataFrame(signatures, columns=list(run.system.signature), index=pd.Index(rows["patient_id"]))
    return results.outcomes(run.targets[0]).join(values, how="inner")


def _paint(figure: Drawing, *, results: Results, run: Run, found: dict[str, pd.DataFrame], name: str) -> None:
    own = found[results.key]
    above = own[name] > 0
    drawn = [Arm(name="Above the training mean", colour=HIGH, patients=own[above])]
    drawn.append(Arm(name="Below", colour=LOW, patients=own[~above]))
    title, note = f"{results.title}\nmodule {name}", f"Log-rank P {equals(_log_rank(own, name))}"
    paint(
        figure,
        drawn=[arm for arm in drawn if len(arm.patients)],
        title=title,
        note=note,
        ylabel=free_of(run.targets[0]),
    )


def _log_rank(own: pd.DataFrame, name: str) -> str:
    return p_value(log_rank_p(own["time"], event=own["event"], group=own[name] > 0).value)


def _rows(run: Run, found: dict[str, pd.DataFrame], name: str) -> list[list[str]]:
    spread = found[run.internal.key][name].std()
    ratios = [
        attempt(partial(lambda own: cox(own[[name]] / spread, time=own["time"], event=own["event"])[name], own))
        for own in found.values()
    ]
    return [
        ["Hazard ratio, per SD", *(each if isinstance(each, str) else cell(each.ratio) for each in ratios)],
        ["P", *("" if isinstance(each, str) else p_value(each.p) for each in ratios)],
        ["Log-rank P, above vs. below the training mean", *(_log_rank(own, name) for own in found.values())],
    ]

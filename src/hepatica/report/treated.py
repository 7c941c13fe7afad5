"""Treated: patients set aside for their treatment, scored by a model that never saw such patients."""

from functools import partial

from matplotlib.figure import Figure as Drawing

from hepatica.cohort import Target
from hepatica.report import kaplan_meier
from hepatica.report.blocks import Block, Figure, Section, Table, Text
from hepatica.report.gallery import Gallery
from hepatica.report.results import Results, Run
from hepatica.report.survival import TALL, competing, free_of, log_rank
from hepatica.report.wording import METRICS, estimate

FOLD = "set_aside"


def section(run: Run, gallery: Gallery) -> Section:
    """Kaplan-Meier curves of the patients set aside, by the primary score; or a line that there are none."""
    target = run.targets[0]
    shown = [each for each in run.cohorts if len(each.outcomes(target, fold=FOLD))]
    title = "Treated patients, set aside"
    if not shown:
        return Section(anchor="treated", title=title, blocks=[Text(text="No patients were set aside.", tone="note")])
    panels = [
        gallery.draw(f"treated_{each.key}", partial(_paint, results=each, target=target), alt=_alt(each), size=TALL)
        for each in shown
    ]
    blocks: list[Block] = [
        Text(
            text="These patients had another treatment and were never trained on. The curves say whether the score also"
            " parts treated patients with a good from those with a poor course; they cannot say whether the treatment"
            " helped anybody: it was not given by lot, and those who got it may have been worse to begin with."
        ),
        Figure(
            caption=f"Kaplan-Meier curves of patients set aside ({_treatments(shown)}), by the score for"
            f" {target.label}.",
            panels=panels,
        ),
        *competing([target]),
        _table(shown, target),
    ]
    return Section(anchor="treated", title=title, blocks=blocks)


def _paint(figure: Drawing, *, results: Results, target: Target) -> None:
    kaplan_meier.paint(
        figure,
        drawn=kaplan_meier.arms(results.outcomes(target, fold=FOLD)),
        title=f"Set aside, {results.cohort['name']}",
        told=log_rank(results.metric("log_rank_p", target, fold=FOLD)),
        ylabel=free_of(target),
        horizon=target.horizon,
    )


def _alt(results: Results) -> str:
    return f"Kaplan-Meier curves of the patients set aside of {results.cohort['name']}, by risk group"


def _treatments(shown: list[Results]) -> str:
    given = {
        str(name) for each in shown for name in each.patients.loc[each.patients["fold"] == FOLD].get("treatment", [])
    }
    return ", ".join(sorted(given)) or "treatment not told"


def _table(shown: list[Results], target: Target) -> Table:
    names = ("auroc", "c_index", "log_rank_p")
    return Table(
        caption=f"Patients set aside: the score for {target.label}, with 95% confidence intervals.",
        header=["", *(str(each.cohort["name"]) for each in shown)],
        rows=[[METRICS[name], *(estimate(each.metric(name, target, fold=FOLD)) for each in shown)] for name in names],
    )

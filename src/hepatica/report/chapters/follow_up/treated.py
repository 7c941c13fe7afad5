"""Treated: patients set aside for their treatment, scored by a model that never saw such patients."""

from functools import partial

import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import Target
from hepatica.evaluate import Correlation, pearson
from hepatica.report.chapters.baseline import DIFFERENCE_RULES, differences
from hepatica.report.chapters.follow_up.survival import TALL, competing, log_rank, paint_groups
from hepatica.report.figures import scatter
from hepatica.report.page import Block, Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.wording import METRICS, attempt, cell, equals, estimate, p_value

FOLD = "set_aside"

TILES = "Mean tile score"
"""Li 2025's denoised recurrence score (DRS): the network's score of tiles, before patients are scored."""

TEXT = (
    "These patients had another treatment and were never trained on. The curves show whether the score also separates"
    " treated patients with a good course from those with a poor one. They cannot show whether the treatment helped: it"
    " was not randomised, and those who received it may have been worse to begin with."
)


def section(run: Run, gallery: Gallery) -> Section | str:
    """Survival by score, tile scores against time, and baseline by group and outcome; or a line that there are none."""
    target = run.targets[0]
    shown = with_treated(run)
    if not shown:
        return "No treated patients were set aside: there is no chapter on them."
    blocks: list[Block] = [
        Text(text=TEXT),
        gallery.by_cohort(
            "treated",
            shown,
            partial(_paint_curves, target=target),
            alt=lambda each: f"Kaplan-Meier curves of the patients set aside of {each.cohort['name']}, by risk group",
            caption=f"Kaplan-Meier curves of patients set aside ({_treatments(shown)}), by the score for"
            f" {target.label}.",
            size=TALL,
        ),
        *competing([target]),
        gallery.by_cohort(
            "treated_tiles",
            shown,
            partial(_paint_tiles, target=target),
            alt=lambda each: (
                f"Months to event or censoring against mean tile score, set aside of {each.cohort['name']}"
            ),
            caption="Months to event or censoring of the same patients against their mean tile score, the denoised"
            " recurrence score (DRS) of Li 2025: the mean over all tiles of a patient. Line and band by least squares;"
            " censored times count as events, as in that paper.",
        ),
        _table(shown, target),
        *(_baseline(each, target) for each in shown),
        Text(text=DIFFERENCE_RULES, tone="note"),
    ]
    return Section(anchor="treated", title="Treated patients, set aside", blocks=blocks)


def with_treated(run: Run) -> list[Results]:
    """Cohorts of which patients were set aside, where the system sets aside the treated ones."""
    if "untreated" not in run.settings["settings"]:
        return []
    return [each for each in run.cohorts if len(each.outcomes(run.targets[0], fold=FOLD))]


def _title(results: Results) -> str:
    return f"Set aside, {results.cohort['name']}"


def _paint_curves(figure: Drawing, *, results: Results, target: Target) -> None:
    note = log_rank(results.metric("log_rank_p", target, fold=FOLD))
    outcomes = results.outcomes(target, fold=FOLD)
    paint_groups(figure, outcomes=outcomes, target=target, title=_title(results), note=note)


def _paint_tiles(figure: Drawing, *, results: Results, target: Target) -> None:
    outcomes = tile_scores(results, target)
    found = correlated(outcomes)
    note = "No correlation" if isinstance(found, str) else f"r {cell(found.r, digits=2)}, P {equals(p_value(found.p))}"
    scatter.paint(figure, outcomes=outcomes, x="tiles", xlabel=TILES, title=_title(results), note=note)


def tile_scores(results: Results, target: Target) -> pd.DataFrame:
    """Outcomes of the patients set aside, with the mean of their tile scores in the column `tiles`."""
    regions, _ = results.regions()
    means = regions.groupby("patient_id")["score"].mean()
    outcomes = results.outcomes(target, fold=FOLD)
    return outcomes.assign(tiles=means.reindex(outcomes.index).to_numpy(float)).dropna(subset=["tiles"])


def correlated(outcomes: pd.DataFrame) -> Correlation | str:
    """Pearson's r of mean tile score and months, or the reason why there is none."""
    return attempt(lambda: pearson(outcomes["tiles"].to_numpy(), y=outcomes["time"].to_numpy()))


def _treatments(shown: list[Results]) -> str:
    given = [each.patients.loc[each.patients["fold"] == FOLD].get("treatment", pd.Series([None])) for each in shown]
    names = sorted({str(name) for treatments in given for name in treatments.dropna()})
    return ", ".join([*names, *(["treatment unknown"] if any(each.isna().any() for each in given) else [])])


def _table(shown: list[Results], target: Target) -> Table:
    names = ("auroc", "c_index", "log_rank_p")
    found = [correlated(tile_scores(each, target)) for each in shown]
    correlations = [each if isinstance(each, str) else cell(each.r, digits=2) for each in found]
    p = ["" if isinstance(each, str) else f"{p_value(each.p)}, {each.r.n} patients" for each in found]
    return Table(
        caption=f"Patients set aside: the score for {target.label}, with 95% confidence intervals.",
        header=["", *(str(each.cohort["name"]) for each in shown)],
        rows=[
            *([METRICS[name], *(estimate(each.metric(name, target, fold=FOLD)) for each in shown)] for name in names),
            [f"{TILES} and months, Pearson's r", *correlations],
            ["P of r, patients", *p],
        ],
    )


def _baseline(results: Results, target: Target) -> Table:
    """Covariates of patients set aside by predicted group and by outcome, as in Table 4 of Li 2025."""
    outcomes, event = results.outcomes(target, fold=FOLD), target.happening
    treated = results.patients.loc[outcomes.index]
    high, had = (outcomes["group"] == "high").to_numpy(), (outcomes["event"] == 1).to_numpy()
    return differences(
        results,
        [
            {"Low risk": treated[~high], "High risk": treated[high]},
            {f"No {event}": treated[~had], event.capitalize(): treated[had]},
        ],
        caption=f"Patients set aside of {results.cohort['name']} by predicted group and by {event} until the end of"
        " follow-up: n (%) or median.",
    )

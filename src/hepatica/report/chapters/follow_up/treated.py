"""Treated: patients set aside for their treatment, scored by a model that never saw such patients."""

from functools import partial

import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import EvaluationError, Target
from hepatica.evaluate import Correlation, pearson
from hepatica.report.chapters.covariates import RULES, Pair, differences
from hepatica.report.chapters.follow_up.survival import TALL, competing, free_of, log_rank
from hepatica.report.figures import kaplan_meier, scatter
from hepatica.report.page.blocks import Block, Figure, Panel, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Results, Run
from hepatica.report.page.wording import METRICS, equals, estimate, interval, p_value

FOLD = "set_aside"

TILES = "Mean tile score"
"""Li 2025's denoised recurrence score (DRS): what the network says of tiles, before patients are scored."""


def section(run: Run, gallery: Gallery) -> Section | str:
    """Survival by score, tile scores against time, and baseline by group and outcome; or a line that there are none."""
    target = run.targets[0]
    shown = with_treated(run)
    if not shown:
        return "No patients were set aside: there is no chapter on treated ones."
    blocks: list[Block] = [
        Text(
            text="These patients had another treatment and were never trained on. The curves say whether the score also"
            " separates treated patients with a good from those with a poor course; they cannot say whether the"
            " treatment helped: it was not randomised, and those who received it may have been worse to begin with."
        ),
        Figure(
            caption=f"Kaplan-Meier curves of patients set aside ({_treatments(shown)}), by the score for"
            f" {target.label}.",
            panels=[_curves(each, target, gallery) for each in shown],
        ),
        *competing([target]),
        Figure(
            caption="Months to event or censoring of the same patients against their mean tile score, the denoised"
            " recurrence score (DRS) of Li 2025: the mean over all tiles of a patient. Line and band by least squares;"
            " censored times count as events, as there.",
            panels=[_tile_scores(each, target, gallery) for each in shown],
        ),
        _table(shown, target),
        *(_baseline(each, target) for each in shown),
        Text(text=RULES, tone="note"),
    ]
    return Section(anchor="treated", title="Treated patients, set aside", blocks=blocks)


def _baseline(results: Results, target: Target) -> Table:
    """Covariates of patients set aside by predicted group and by outcome, as in Table 4 of Li 2025."""
    outcomes, event = results.outcomes(target, fold=FOLD), target.endpoint.replace("_", " ")
    treated = results.patients.loc[outcomes.index]
    high, had = ((outcomes[name] == value).to_numpy() for name, value in (("group", "high"), ("event", 1)))
    pairs: list[Pair] = [
        ("Low risk", treated[~high], "High risk", treated[high]),
        (f"No {event}", treated[~had], event.capitalize(), treated[had]),
    ]
    caption = (
        f"Patients set aside of {results.cohort['name']} by predicted group and by {event} until the end of"
        " follow-up: n (%) or median."
    )
    return differences(results, pairs, caption=caption)


def with_treated(run: Run) -> list[Results]:
    """Cohorts of which patients were set aside."""
    return [each for each in run.cohorts if len(each.outcomes(run.targets[0], fold=FOLD))]


def _curves(results: Results, target: Target, gallery: Gallery) -> Panel:
    alt = f"Kaplan-Meier curves of the patients set aside of {results.cohort['name']}, by risk group"
    return gallery.draw(f"treated_{results.key}", partial(_paint, results=results, target=target), alt=alt, size=TALL)


def _paint(figure: Drawing, *, results: Results, target: Target) -> None:
    kaplan_meier.paint(
        figure,
        drawn=kaplan_meier.arms(results.outcomes(target, fold=FOLD)),
        title=_title(results),
        told=log_rank(results.metric("log_rank_p", target, fold=FOLD)),
        ylabel=free_of(target),
        horizon=target.horizon,
    )


def _title(results: Results) -> str:
    return f"Set aside, {results.cohort['name']}"


def tile_scores(results: Results, target: Target) -> pd.DataFrame:
    """Outcomes of the patients set aside, with the mean of their tile scores in the column `tiles`."""
    regions, _ = results.regions()
    means = regions.groupby("patient_id")["score"].mean()
    outcomes = results.outcomes(target, fold=FOLD)
    return outcomes.assign(tiles=means.reindex(outcomes.index).to_numpy(float)).dropna(subset=["tiles"])


def correlated(outcomes: pd.DataFrame) -> Correlation | str:
    """Pearson's r of mean tile score and months; in words why there is none where there is none."""
    try:
        return pearson(outcomes["tiles"].to_numpy(), y=outcomes["time"].to_numpy())
    except EvaluationError as error:
        return f"not computable: {error}"


def _tile_scores(results: Results, target: Target, gallery: Gallery) -> Panel:
    outcomes = tile_scores(results, target)
    found = correlated(outcomes)
    paint = partial(
        scatter.paint,
        outcomes=outcomes,
        x="tiles",
        xlabel=TILES,
        title=_title(results),
        told="No correlation" if isinstance(found, str) else f"r {_r(found)}, P {equals(p_value(found.p))}",
    )
    alt = f"Months to event or censoring against mean tile score of the patients set aside, {results.cohort['name']}"
    return gallery.draw(f"treated_tiles_{results.key}", paint, alt=alt)


def _r(found: Correlation) -> str:
    return interval(found.r.as_dict(), digits=2)


def _treatments(shown: list[Results]) -> str:
    given = [each.patients.loc[each.patients["fold"] == FOLD].get("treatment", pd.Series([None])) for each in shown]
    told = sorted({str(name) for names in given for name in names.dropna()})
    return ", ".join([*told, *(["treatment unknown"] if any(names.isna().any() for names in given) else [])])


def _table(shown: list[Results], target: Target) -> Table:
    names = ("auroc", "c_index", "log_rank_p")
    found = [correlated(tile_scores(each, target)) for each in shown]
    return Table(
        caption=f"Patients set aside: the score for {target.label}, with 95% confidence intervals.",
        header=["", *(str(each.cohort["name"]) for each in shown)],
        rows=[
            *([METRICS[name], *(estimate(each.metric(name, target, fold=FOLD)) for each in shown)] for name in names),
            [f"{TILES} and months, Pearson's r", *(each if isinstance(each, str) else _r(each) for each in found)],
            [
                "P of r, patients",
                *("" if isinstance(each, str) else f"{p_value(each.p)}, {each.r.n} patients" for each in found),
            ],
        ],
    )

"""Factors: the risk score beside clinical factors in Cox models, each alone and all together."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing
from pandas.api.types import is_numeric_dtype
from scipy import stats

from hepatica.cohort import EvaluationError
from hepatica.evaluate import HazardRatio, cox, fine_gray
from hepatica.report.chapters.baseline import is_category
from hepatica.report.figures.forest import Line, forest
from hepatica.report.page import Block, Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.wording import NONE, cell, column, level, p_value

MOST_LEVELS = 4
"""Categories of more levels than this do not enter a model. Ours."""

SKEWED = 2.0
"""Skewness from which a positive covariate enters as its binary logarithm: a hazard ratio per doubling. Ours."""

EVENTS_PER_VARIABLE = 10
"""Events a term below which hazard ratios are unstable (Peduzzi 1995, doi 10.1016/0895-4356(95)00048-8)."""

SCORE, GROUP = "Risk score, per SD", "Risk group, high vs. low"


@dataclass(frozen=True, kw_only=True)
class Models:
    """Hazard ratios of one cohort, by term: each alone, and all together; `failures` says what could not be fitted.

    `subdistribution` are those of all together by Fine and Gray, where events compete. `names` are those of the terms
    in the order of the table.
    """

    names: Sequence[str]
    alone: dict[str, HazardRatio]
    together: dict[str, HazardRatio]
    subdistribution: dict[str, HazardRatio]
    failures: dict[str, str]
    patients: int
    events: int
    terms: int

    def line(self, name: str) -> Line:
        """The term in a forest plot."""
        alone, together = (each[name].ratio if name in each else None for each in (self.alone, self.together))
        return Line(name=name, alone=alone, together=together, strong=name in (SCORE, GROUP))


def section(run: Run, gallery: Gallery) -> Section:
    """A forest plot and a table a cohort, and a warning wherever a model has too few events."""
    target = run.targets[0]
    found = {each.key: _models(each, run) for each in run.cohorts}

    def paint(figure: Drawing, *, results: Results) -> None:
        models = found[results.key]
        forest(figure, lines=[models.line(name) for name in models.names], title=results.title)

    figure = gallery.by_cohort(
        "forest",
        run.cohorts,
        paint,
        alt="Forest plot of hazard ratios",
        caption=f"Hazard ratios for {target.endpoint.replace('_', ' ')} over the whole of follow-up, by Cox regression."
        f" Above 1, the event comes sooner the higher the value. The risk score is that for {target.label}.",
        size=(4.4, 1.6 + 0.34 * max(len(models.names) for models in found.values())),
    )
    blocks: list[Block] = [figure]
    for each in run.cohorts:
        blocks += [_table(each, found[each.key]), *_warnings(each, found[each.key])]
    return Section(anchor="factors", title="Risk score beside clinical factors", blocks=blocks)


def terms(patients: pd.DataFrame, covariates: list[str], *, reference: pd.DataFrame) -> pd.DataFrame:
    """Covariates as columns of a Cox model, named for a reader; missing values stay missing.

    Numbers count per standard deviation, or per doubling where they are positive and skewed; categories against the
    most common one. Deviation, skewness and categories are those of the `reference` patients, so that a term means the
    same in every cohort. Left out: treatment, terms of one value, categories of more than MOST_LEVELS levels.
    """
    columns: dict[str, pd.Series] = {}
    for name in covariates:
        if name == "treatment" or min(patients[name].nunique(), reference[name].nunique()) < 2:
            continue
        known = reference[name].dropna()
        columns |= (_categories if is_category(known) else _number)(patients[name], known)
    return pd.DataFrame({name: term for name, term in columns.items() if term.nunique() > 1}, index=patients.index)


def _number(values: pd.Series, known: pd.Series) -> dict[str, pd.Series]:
    name, both = column(str(values.name)), np.concatenate([values.dropna().to_numpy(float), known.to_numpy(float)])
    if both.min() > 0 and stats.skew(known.to_numpy(float)) > SKEWED:
        return {f"{name}, per doubling": pd.Series(np.log2(values.to_numpy(float)), index=values.index)}
    return {f"{name}, per SD": (values - known.mean()) / known.std()}


def _categories(values: pd.Series, known: pd.Series) -> dict[str, pd.Series]:
    name = column(str(values.name))
    if known.nunique() > MOST_LEVELS:
        return {}
    if is_numeric_dtype(known) and set(known.unique()) == {0, 1}:
        return {name: values.astype(float)}
    common = known.value_counts().idxmax()
    return {
        f"{name}: {level(each)} vs. {level(common)}": (values == each).astype(float).where(values.notna())
        for each in sorted(known.unique(), key=str)
        if each != common
    }


def _models(results: Results, run: Run) -> Models:
    outcomes = results.outcomes(run.targets[0])
    covariates = [name for name in run.internal.covariates() if name in results.patients]
    clinical = terms(results.patients.loc[outcomes.index], covariates, reference=run.internal.patients)
    scored = score_terms(outcomes, reference=run.internal.outcomes(run.targets[0])["score"])
    failures: dict[str, str] = {}
    alone: dict[str, HazardRatio] = {}
    for name, values in scored.join(clinical).items():
        alone |= _fit(values.dropna().to_frame(), outcomes, failures, label=str(name))
    fitted = clinical[[name for name in clinical if name in alone]]
    complete = fitted.notna().all(axis=1)
    fitted = fitted.loc[:, fitted[complete].nunique() > 1]
    models: dict[str, dict[str, HazardRatio]] = {"event": {}, "cause": {}}
    for name in (GROUP, SCORE) if len(fitted.columns) else ():
        joined = scored[[name]].join(fitted)[complete]
        label = f"all together with {name[:1].lower()}{name[1:]}"
        found = {"event": _fit(joined, outcomes, failures, label=label)}
        if found["event"] and (outcomes["cause"] > 1).any():
            found["cause"] = _fit(joined, outcomes, failures, label=f"{label}, subdistribution", by="cause")
        for by, model in found.items():
            models[by] |= {term: ratio for term, ratio in model.items() if name == SCORE or term == GROUP}
    return Models(
        names=[*scored.columns, *clinical.columns],
        alone=alone,
        together=models["event"],
        subdistribution=models["cause"],
        failures=failures,
        patients=int(complete.sum()),
        events=int(outcomes.loc[complete, "event"].sum()),
        terms=1 + len(fitted.columns),
    )


def score_terms(outcomes: pd.DataFrame, *, reference: pd.Series) -> pd.DataFrame:
    """Score and risk group as columns of a Cox model; the score counts per standard deviation of the `reference` ones.

    Those are the scores of the internal test in every cohort, so that a hazard ratio means the same in each; training
    patients are not used, because scores of patients a model has seen are too extreme.
    """
    spread = reference.std() if reference.nunique() > 1 else 1.0  # equal scores stay equal, and the model says so
    score = (outcomes["score"] - reference.mean()) / spread
    return pd.DataFrame({SCORE: score, GROUP: (outcomes["group"] == "high").astype(float)})


def _fit(
    covariates: pd.DataFrame, outcomes: pd.DataFrame, failures: dict[str, str], *, label: str, by: str = "event"
) -> dict[str, HazardRatio]:
    """Hazard ratio of each column, by Cox of the column `event` or by Fine and Gray of `cause`; nothing where the model
    cannot be fitted, which goes into `failures`.
    """
    followed, fit = outcomes.loc[covariates.index], fine_gray if by == "cause" else cox
    try:
        return dict(fit(covariates, time=followed["time"].to_numpy(), event=followed[by].to_numpy()))
    except EvaluationError as error:
        failures[label] = str(error).replace(", ".join(covariates.columns), "these terms")
        return {}


def _table(results: Results, models: Models) -> Table:
    shown = {"Alone": models.alone, "All together": models.together}
    if models.subdistribution:
        shown["All together, subdistribution"] = models.subdistribution
    rows = []
    for name in models.names:
        found = [each.get(name) for each in shown.values()]
        cells = [(cell(each.ratio, digits=2), p_value(each.p)) if each else (NONE, "") for each in found]
        rows.append([name, *chain(*cells)])
    return Table(
        caption=f"Cox regression. {results.title}. Hazard ratio (95% confidence interval).",
        header=["", *chain(*((name, "P") for name in shown))],
        rows=rows,
        note=f"All together: {models.patients} patients without missing values, {models.events} events, {models.terms}"
        " terms. A term that cannot be fitted alone, or is the same for all of these patients, is left out. In every"
        " cohort, one SD is that of the internal patients; for the score, of the internal test patients. The risk"
        " group's ratio is that of a model in which it replaces the score."
        f"{_constant(models)}"
        f"{' Subdistribution: Fine and Gray; the other ratios are cause-specific.' if models.subdistribution else ''}",
    )


def _constant(models: Models) -> str:
    """Which hazard ratios of the joint model change over time."""
    tested = {name: each.changes_p for name, each in models.together.items() if not np.isnan(each.changes_p)}
    if not tested:
        return ""
    changing = [f"{name} (P {p_value(p)})" for name, p in tested.items() if p < 0.05]
    said = f"below 0.05 for {', '.join(changing)}" if changing else f"{p_value(min(tested.values()))} or more for all"
    return f" Test of proportional hazards (Grambsch and Therneau), all together: P {said}."


def _warnings(results: Results, models: Models) -> list[Block]:
    texts = [f"{results.title}, {label}: not fitted. {why}." for label, why in models.failures.items()]
    if models.together and models.events < EVENTS_PER_VARIABLE * models.terms:
        texts.append(
            f"{results.title}: {models.events / models.terms:.1f} events a term in the model of all together, fewer"
            f" than {EVENTS_PER_VARIABLE}; its hazard ratios are unstable and are shown for completeness."
        )
    return [Text(text=text, tone="warning") for text in texts]

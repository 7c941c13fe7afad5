"""Clinical risks: what clinical indicators say of each patient, alone, all together, and with the signature."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from hepatica.cohort import EvaluationError, Target, patient_scores
from hepatica.evaluate import auroc, fit_logistic
from hepatica.report.page.results import Results
from hepatica.report.page.wording import column
from hepatica.studies.li_2025.chapters.found import Study

INDICATORS = ("hbsag", "alt_u_l", "afp_ng_ml", "tumour_size_cm", "bclc_stage", "vascular_invasion")
"""Those of Li 2025, Fig. 6."""

SIGNATURE, TOGETHER, INTEGRATED = "Signature", "All indicators (LR)", "Indicators and signature (LR)"


def training(study: Study, target: Target) -> pd.DataFrame:
    """Training patients whose label is known: covariates, label, the fold each was held out in, and as SIGNATURE the
    risk by a network that was not trained on him.
    """
    results, scores = study.run.internal, patient_scores(study.out_of_fold, target=target)
    patients = results.patients.loc[scores.index]
    label = results.endpoint(target).label(patients, horizon=target.horizon)
    table = patients[results.covariates()].assign(label=label, held_out=scores["fold"])
    return table.assign(**{SIGNATURE: scores["score"].astype(float)}).dropna(subset=["label"])


def new_patients(results: Results, target: Target) -> pd.DataFrame:
    """Reported patients of a cohort, label known or not: covariates, time, event, label, and as SIGNATURE the score."""
    outcomes = results.outcomes(target)
    covariates = results.patients.loc[outcomes.index, results.covariates()]
    return covariates.join(outcomes[["time", "event", "label"]]).assign(**{SIGNATURE: outcomes["score"]})


def recorded(names: Sequence[str], *tables: pd.DataFrame) -> list[str]:
    """The indicators that every one of these tables has values of, all of them numbers or all of them text."""
    found = [name for name in names if all(name in each and each[name].notna().any() for each in tables)]
    return [name for name in found if len({is_numeric_dtype(each[name]) for each in tables}) == 1]


def risks(known: pd.DataFrame, *, of: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Risk of each row of `of` by each candidate (columns), learnt from the rows of `known`.

    An indicator alone is a logistic regression of it, which learns the sign of a number and the order of categories;
    the signature's risk is taken as it is. EvaluationError when `known` has one class.
    """
    found = {
        name: fit_logistic(known[columns], label=known["label"].to_numpy()).risk(of)
        for name, columns in _candidates(names).items()
    }
    return pd.DataFrame(found | {SIGNATURE: of[SIGNATURE].to_numpy(float)}, index=of.index)


def _candidates(names: Sequence[str]) -> dict[str, list[str]]:
    """Columns of each logistic regression, by its name; none of all together where there is one indicator."""
    alone = {column(name): [name] for name in names}
    together = {TOGETHER: list(names)} if len(names) > 1 else {}
    return alone | together | ({INTEGRATED: [*names, SIGNATURE]} if names else {})


def cross_fitted(known: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Risk of each training patient by each candidate, learnt from the patients of the other folds only."""
    found = [risks(known[~held_out], of=known[held_out], names=names) for held_out in _folds(known)]
    return pd.concat(found).loc[known.index]


def ranked_within_folds(known: pd.DataFrame, cross: pd.DataFrame) -> pd.DataFrame:
    """Share of the patients of his own fold whom each patient is ahead of, ties half, by each candidate.

    Pooled, risks of different fits are not comparable: the fewer events a fold has, the more the others had, and the
    higher are its risks, which pulls a pooled AUROC far below 0.5 when the candidate knows little (Airola 2011, doi
    10.1016/j.csda.2010.11.018). Ranks within the fold leave that out, and use nobody's label. Ours.
    """
    groups = cross.groupby(known["held_out"])
    return (groups.rank() - 0.5).div(known.groupby("held_out")["label"].transform("size"), axis=0)


def _folds(known: pd.DataFrame) -> Iterator["pd.Series[bool]"]:
    for fold in sorted(known["held_out"].unique()):
        yield known["held_out"] == fold


def fold_aurocs(known: pd.DataFrame, cross: pd.DataFrame) -> pd.DataFrame:
    """AUROC of each candidate (columns) among the patients of each fold (rows); no row for a fold of one class."""
    return pd.DataFrame({name: [_area(known[rows], cross[name]) for rows in _folds(known)] for name in cross}).dropna()


def _area(patients: pd.DataFrame, risk: pd.Series) -> float:
    try:
        return auroc(patients["label"].to_numpy(), score=risk.loc[patients.index].to_numpy()).value
    except EvaluationError:
        return np.nan

"""Logistic: a risk from a clinical table by logistic regression, learnt from some patients and given to others."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pandas.api.types import is_numeric_dtype
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.inputs import Floats, both_classes

PENALTY = 1.0  # ours: scikit-learn's default
"""Weight of half the sum of the squared coefficients beside the sum of the log losses."""

SKEWED = 2.0  # ours
"""Skewness from which a positive number, such as AFP, enters as its logarithm."""


@dataclass(frozen=True, kw_only=True)
class LogisticRisk:
    """A fitted logistic regression; `numeric` says of each required covariate whether it is numeric."""

    numeric: Mapping[str, bool]
    pipeline: Pipeline

    def risk(self, covariates: pd.DataFrame) -> Floats:
        """Probability of the event, 0 to 1, of each row (n,).

        EvaluationError when a column is missing, or text where the training patients had numbers, or the reverse.
        """
        lacking = [name for name in self.numeric if name not in covariates]
        if lacking:
            raise EvaluationError(f"logistic regression: the table lacks {', '.join(lacking)}; fit it without")
        other = [name for name, numeric in self.numeric.items() if is_numeric_dtype(covariates[name]) != numeric]
        if other:
            raise EvaluationError(
                f"logistic regression: {', '.join(other)} is text in one table and numbers in the other; code it alike"
            )
        found: Floats = self.pipeline.predict_proba(_plain(covariates[list(self.numeric)]))[:, 1]
        return found


def fit_logistic(covariates: pd.DataFrame, *, label: ArrayLike) -> LogisticRisk:
    """Fit a logistic regression of a label (n,), 0 or 1, on all columns of a table with one row a patient.

    Everything is learnt from these patients and then held: numbers are standardised, positive ones of a skewness above
    SKEWED after taking their logarithm (of others' values, none below the smallest seen here); categories have a term
    a level, and a level not seen here counts as the average of those that were; gaps are filled by the median or the
    most common level. Coefficients but the intercept carry a ridge penalty of PENALTY, so that a covariate which parts
    the classes has a finite one. Raises EvaluationError on one class or a column that is empty.

    Unclear: Li 2025 (doi 10.1186/s12916-025-03977-4) says "LR" and nothing of penalty, coding or missing values.
    """
    event = both_classes(label)
    if covariates.empty or len(covariates) != event.size:
        shape = f"{len(covariates)} rows and {len(covariates.columns)} columns"
        raise EvaluationError(f"logistic regression: got a table of {shape} for {event.size} labels")
    empty = [str(name) for name in covariates if covariates[name].isna().all()]
    if empty:
        raise EvaluationError(f"logistic regression: {', '.join(empty)} is empty for all patients; leave it out")
    table = _plain(covariates)
    pipeline = make_pipeline(_terms(table), LogisticRegression(C=1 / PENALTY, tol=1e-8, max_iter=1000))
    numeric = {str(name): is_numeric_dtype(values) for name, values in covariates.items()}
    return LogisticRisk(numeric=numeric, pipeline=pipeline.fit(table, event))


def _plain(covariates: pd.DataFrame) -> pd.DataFrame:
    """Numbers as floats, all else as text; gaps as NaN in both, which is what scikit-learn fills."""
    return pd.DataFrame(
        {
            name: values.astype(float)
            if is_numeric_dtype(values)
            else values.astype(object).where(values.notna(), np.nan).map(str, na_action="ignore")
            for name, values in covariates.items()
        }
    )


def _terms(table: pd.DataFrame) -> ColumnTransformer:
    numbers = [str(name) for name in table if is_numeric_dtype(table[name])]
    least, skewness = table[numbers].min(), table[numbers].skew()
    skewed = [name for name in numbers if least[name] > 0 and skewness[name] > SKEWED]
    plain = [name for name in numbers if name not in skewed]
    categories = [name for name in table if name not in numbers]
    median, commonest = SimpleImputer(strategy="median"), SimpleImputer(strategy="most_frequent")
    logarithm = FunctionTransformer(_logarithm, kw_args={"least": least[skewed].to_numpy()})
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(median, StandardScaler()), plain),
            ("skewed", make_pipeline(median, logarithm, StandardScaler()), skewed),
            ("categories", make_pipeline(commonest, OneHotEncoder(handle_unknown="ignore")), categories),
        ]
    )


def _logarithm(values: np.ndarray, *, least: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(np.maximum(values, least)))

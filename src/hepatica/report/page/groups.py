"""Groups: training patients, those of the internal test and of each other cohort, as they are compared."""

from dataclasses import dataclass

import pandas as pd

from hepatica.cohort import Target
from hepatica.report.page.results import TRAINED_ON, Results, Run
from hepatica.report.page.style import INK, SERIES


@dataclass(frozen=True, kw_only=True)
class Group:
    """Patients that are compared: name, colour and folds of a cohort; whether the model was `trained` on them."""

    name: str
    colour: str
    results: Results
    folds: tuple[str, ...]
    trained: bool = False

    @property
    def patients(self) -> pd.DataFrame:
        """Their rows of patients.parquet."""
        return self.results.patients[self.results.patients["fold"].isin(self.folds)]

    def outcomes(self, target: Target) -> pd.DataFrame:
        """Their label and score, and their time and event where there is follow-up."""
        return pd.concat([self.results.outcomes(target, fold=fold) for fold in self.folds])

    def stains(self) -> pd.DataFrame:
        """Stains of their slides."""
        slides = self.results.stains()
        return slides[slides.index.isin(self.patients.index)]


def compared_groups(run: Run) -> list[Group]:
    """Training patients, those of the internal test, and each external cohort."""
    home = [
        Group(name="Training", colour=INK, results=run.internal, folds=TRAINED_ON, trained=True),
        Group(name="Internal test", colour=SERIES[0], results=run.internal, folds=("test",)),
    ]
    away = [
        Group(name=str(each.cohort["name"]), colour=SERIES[1 + n % 5], results=each, folds=(each.fold,))
        for n, each in enumerate(run.external)
    ]
    return [*home, *away]

"""Versus: a network against a fit, target by target, on the same simulated spectra."""

from dataclasses import dataclass

import pandas as pd

from hepatica.evaluate.groups.paired_errors import ErrorComparison, compare_errors, in_sets
from hepatica.studies.bae_2025.chapters.found import errors

PAIRS = (("qcnn", "nls"), ("qcnn", "map"), ("qcnn+gn", "nls"), ("qcnn+gn", "map"))
"""What is compared with what: networks with least squares, as the paper did, and with the fit that has their priors."""

SETS = 10
"""Replicate sets (ours): the paper's P of at most .004 is what nine or ten pairs can give, and no more."""

PAPER_P = 0.004
"""The paper: lower errors in all metabolites and lipids, P <= .004 (abstract)."""


@dataclass(frozen=True, kw_only=True)
class Versus:
    """One target by two methods: compared spectrum by spectrum, and by the means of replicate sets.

    `share` is that of the spectra in which the first errs less.
    """

    by_spectrum: ErrorComparison
    by_set: ErrorComparison
    share: float

    @property
    def lower(self) -> bool:
        """Whether the mean |error| of the first is the lower one."""
        return self.by_spectrum.ratio.value < 1

    @property
    def better(self) -> bool:
        """Whether it is, also in most spectra, and not by chance after Holm's correction.

        A signed-rank test may find the method worse whose mean is better, where a few fits went far astray.
        """
        return self.lower and self.share > 0.5 and self.by_spectrum.p_holm <= PAPER_P

    @property
    def better_in_sets(self) -> bool:
        """The same of replicate sets, without correction, as the paper's P may have been found."""
        return self.by_set.ratio.value < 1 and self.by_set.p <= PAPER_P


def versus(table: pd.DataFrame, first: str, second: str) -> list[Versus]:
    """Each target of a table of `found.quantified`, in its order."""
    own, other = (errors(table, method=name) for name in (first, second))
    names = list(own.columns)
    by_spectrum = compare_errors(own, second=other, targets=names)
    by_set = compare_errors(in_sets(own, sets=SETS), second=in_sets(other, sets=SETS), targets=names)
    shares = (own.abs() < other.abs()).mean()
    return [
        Versus(by_spectrum=one, by_set=sets, share=float(shares[one.target]))
        for one, sets in zip(by_spectrum, by_set, strict=True)
    ]

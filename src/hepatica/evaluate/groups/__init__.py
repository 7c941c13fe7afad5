"""Groups: comparisons of groups of patients, and of errors of two methods."""

__all__ = [
    "agreement",
    "case_mix",
    "contingency",
    "correlation",
    "mcnemar",
    "paired_errors",
    "permutation",
    "power",
    "quantification",
    "regression",
    "two_groups",
]

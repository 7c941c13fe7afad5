"""Groups: comparisons of groups of patients, and of errors of two methods."""

__all__ = [
    "agreement",
    "case_mix",
    "contingency",
    "correlation",
    "paired_errors",
    "permutation",
    "quantification",
    "two_groups",
]

"""Groups: comparisons of groups of patients, and of errors of two methods."""

__all__ = [
    "agreement",
    "case_mix",
    "clusters",
    "contingency",
    "correlation",
    "missing",
    "paired_errors",
    "permutation",
    "quantification",
    "two_groups",
]

"""Survival: statistics of scores against follow-up."""

__all__ = [
    "competing",
    "concordance",
    "cox",
    "interaction",
    "kaplan_meier",
    "over_time",
    "partial_likelihood",
    "survival",
]

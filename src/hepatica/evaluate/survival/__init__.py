"""Survival: statistics of scores against follow-up."""

__all__ = ["concordance", "cox", "interaction", "kaplan_meier", "survival"]

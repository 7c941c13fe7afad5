"""Survival: statistics of scores against follow-up."""

__all__ = ["censoring", "concordance", "cox", "heterogeneity", "interaction", "kaplan_meier", "survival"]

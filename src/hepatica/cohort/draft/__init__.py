"""Draft: a cohort folder drafted from a folder of files and a spreadsheet, and what could not be drafted."""

from hepatica.cohort.draft.draft import Draft, draft_cohort

__all__ = ["Draft", "draft_cohort"]

"""Page: what a report is made of, and how it is laid out and worded."""

__all__ = ["blocks", "gallery", "groups", "metric_table", "page", "provenance", "results", "style", "tables", "wording"]

"""Audit: whether the numbers of a published table are arithmetically possible."""

__all__ = ["audit", "count_totals", "findings", "integer_tables", "rate_rows"]

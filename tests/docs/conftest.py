"""Fixtures: reports that are sketched, from tests/report_runs.py."""

from report_runs import sketches

__all__ = ["sketches"]

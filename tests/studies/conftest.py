"""Fixtures: small run folders to report on, from tests/report_runs.py and tests/report_ct.py."""

from report_ct import printed, studied_folder, study
from report_runs import copied, diagnosed, finished, make_run, sketchbook, sketches, written

__all__ = [
    "copied", "diagnosed", "finished", "make_run", "printed", "sketchbook", "sketches", "studied_folder", "study",
    "written",
]  # fmt: skip

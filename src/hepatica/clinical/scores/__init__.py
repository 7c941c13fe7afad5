"""Scores: published scores and stages of liver disease and HCC over a table of patients.

from hepatica.clinical.scores import SCORES, score
score("page_b", table, units={"platelets": "10^9/L"})
"""

from hepatica.clinical.scores.registry import SCORES, add_scores, find_score, score
from hepatica.clinical.scores.table_file import read_units, score_file

__all__ = ["SCORES", "add_scores", "find_score", "read_units", "score", "score_file"]

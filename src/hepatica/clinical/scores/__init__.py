"""Scores: published scores and stages of liver disease and HCC over a table of patients.

from hepatica.clinical.scores import SCORES, score
score("page_b", table, units={"platelets": "10^9/L"})
"""

from hepatica.clinical.scores.registry import SCORES, add_scores, score

__all__ = ["SCORES", "add_scores", "score"]

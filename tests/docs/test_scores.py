"""Scores: the Python of the how-to runs, and the reference is made from the records."""

import re
from pathlib import Path

from hepatica.report.documents.system_page import score_page

DOCS = Path(__file__).parents[2] / "docs"


def test_its_python_runs() -> None:
    text = (DOCS / "how_to" / "scores.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"<!-- tested: tests/docs/test_scores.py -->\n```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(block, "scores.md", "exec"), names)
    assert names["found"]["page_b"].tolist() == [4, 25]  # type: ignore[index]
    assert names["found"]["page_b_band"].tolist() == ["low", "high"]  # type: ignore[index]


def test_the_reference_is_up_to_date() -> None:
    assert (DOCS / "reference" / "scores.md").read_text(encoding="utf-8") == score_page()

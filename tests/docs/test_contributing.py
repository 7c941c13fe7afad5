"""Contributing: the five steps end in the very system that tests/systems/test_outside.py trains and reports."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_example_is_the_system_that_is_trained() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"<!-- tested: tests/docs/test_contributing.py -->\n```python\n(.*?)```", text, re.DOTALL)
    system = ROOT / "tests" / "systems" / "outside" / "outside_systems" / "plain_slide.py"
    assert block == system.read_text(encoding="utf-8")

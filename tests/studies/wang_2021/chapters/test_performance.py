from collections.abc import Callable
from pathlib import Path

import pytest

from hepatica.report.page.blocks import Table
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run
from hepatica.studies.wang_2021.chapters.performance import section

Sketch = Callable[[Path], Gallery]


def test_rates_are_those_at_the_locked_cutoff_beside_the_papers(study: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    [table] = [block for block in section(study, sketchbook(tmp_path)).blocks if isinstance(block, Table)]
    rows = {row[0]: [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in row[1:]] for row in table.rows}
    assert rows["Sensitivity (recall)"][:2] == ["0.784 (0.724 to 0.837)", "0.894 (0.850 to 0.928)"]
    assert rows["F1"][0].startswith("0.824 (")
    tp, fp = map(int, rows["True and false positives"][2].split(", "))
    tn, fn = map(int, rows["True and false negatives"][2].split(", "))
    assert float(rows["Sensitivity (recall)"][2].split()[0]) == pytest.approx(tp / (tp + fn), abs=5e-4)
    assert float(rows["PPV (precision)"][2].split()[0]) == pytest.approx(tp / (tp + fp), abs=5e-4)
    assert tp + fp + tn + fn == len(study.internal.outcomes(study.targets[0]))

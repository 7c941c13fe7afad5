from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from hepatica.report.chapters.quantification.bounds import section, typical
from hepatica.report.page.blocks import Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run
from hepatica.studies.bae_2025_qcnn.chapters import COMPARED

Sketch = Callable[[Path], Gallery]


@pytest.fixture
def tables(with_tables: Callable[..., Run], known: pd.DataFrame, tmp_path: Path, sketchbook: Sketch) -> list[Table]:
    blocks = section(with_tables(quantified=known), sketchbook(tmp_path), compared=COMPARED).blocks
    return [block for block in blocks if isinstance(block, Table)]


def row(table: Table, name: str) -> list[str]:
    [found] = [each for each in table.rows if each[0] == name]
    return [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in found[1:]]


def test_bounds_and_what_least_squares_makes_of_them(tables: list[Table]) -> None:
    # An error of 4 in every spectrum over a Cramer-Rao bound of 2; 1.4826 times the same where robust.
    assert row(tables[0], "A") == ["11.69", "2.00", "1.00", "2.00 (2.00 to 2.00)", "2.97"]
    assert "median over targets 2.97." in tables[0].note


def test_efficiency_is_against_the_bayesian_bound(tables: list[Table]) -> None:
    assert row(tables[1], "B") == [f"{off:.2f} ({off:.2f} to {off:.2f})" for off in (4.0, 1.0, 2.0, 1.0)]
    assert "Medians over targets: NLS 4.00, MAP 1.00, qCNN 2.00, qCNN + GN 1.00." in tables[1].note


def test_coverage_is_counted_for_both_kinds_of_spectra(tables: list[Table]) -> None:
    plain, everything = tables[2:]
    assert plain.caption.endswith("Nuisance of the signal model alone.")
    # Standard deviations of 1: an interval of 1.96 to both sides holds errors of 1, and neither of 2 nor of 4.
    none, all_of_40 = "0.000 (0.000 to 0.088)", "1.000 (0.912 to 1.000)"
    assert row(plain, "A") == [none, all_of_40, none, all_of_40]
    assert row(everything, "A") == [none] * 4
    assert "NLS 0.00, MAP 1.00, qCNN 0.00, qCNN + GN 1.00" in plain.note


def test_one_stray_fit_does_not_move_what_is_typical() -> None:
    own = pd.DataFrame({"truth": 0.0, "estimate": [2.0, -2.0, 2.0, -2.0, 1e6], "crlb": 2.0})
    assert typical(own) == pytest.approx(1.4826)


def test_the_text_says_what_the_networks_were_calibrated_on(study: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    blocks = section(study, sketchbook(tmp_path), compared=COMPARED).blocks
    texts = [block.text for block in blocks if isinstance(block, Text)]
    assert texts[1].endswith("One network was trained on 1,024 simulated spectra, with every nuisance.")
    found = [block for block in blocks if isinstance(block, Table)]
    assert [len(table.rows) for table in found] == [20] * 4

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from matplotlib.figure import Figure as Drawing

from hepatica.report.chapters.quantification.compared import quantified
from hepatica.report.chapters.quantification.errors import counts, paint_errors, section
from hepatica.report.page.blocks import Figure, Panel, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run
from hepatica.studies.bae_2025_qcnn.chapters import COMPARED


class Undrawn(Gallery):
    """Panels are named, and not drawn."""

    def draw(self, name: str, paint: object, *, alt: str, size: tuple[float, float] = (4, 4)) -> Panel:
        return Panel(source="data:,", alt=alt)


@pytest.fixture(scope="module")
def blocks(with_tables: Callable[..., Run], known: pd.DataFrame) -> list[object]:
    return list(section(with_tables(quantified=known), Undrawn(Path(), phantom=True), compared=COMPARED).blocks)


def tables(blocks: list[object]) -> list[Table]:
    return [block for block in blocks if isinstance(block, Table)]


def rows(table: Table) -> dict[str, list[str]]:
    return {row[0]: [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in row[1:]] for row in table.rows}


def test_the_text_says_how_many_spectra_and_what_was_learnt(blocks: list[object]) -> None:
    assert isinstance(blocks[0], Text)
    assert blocks[0].text.startswith("40 simulated spectra,")
    assert blocks[0].text.endswith("One network was trained on 1,024 simulated spectra, with every nuisance.")


def test_claim_1_is_counted(blocks: list[object]) -> None:
    claim = tables(blocks)[0]
    assert [row[0] for row in claim.rows if len(row) == 1] == [
        "Simulated spectra with nuisance of the signal model alone", "Simulated spectra with every nuisance",
    ]  # fmt: skip
    found = [list(row) for row in claim.rows if len(row) > 1]
    assert found[:4] == found[4:]  # three times the error in every method
    assert found[0] == ["qCNN vs. NLS", "2 of 2", "2 of 2", "2 of 2", "0.50"]
    assert found[1] == ["qCNN vs. MAP", "0 of 2", "0 of 2", "0 of 2", "2.00"]
    assert found[2] == ["qCNN + GN vs. NLS", "2 of 2", "2 of 2", "2 of 2", "0.25"]
    assert found[3] == ["qCNN + GN vs. MAP", "0 of 2", "0 of 2", "0 of 2", "1.00"]


def test_each_count_stands_in_its_column() -> None:
    flags = [
        (True, True, False),
        (True, False, False),
        (True, False, True),
        (False, True, False),
        (False, False, False),
    ]
    ratios = [0.5, 0.6, 0.7, 1.5, 2.0]
    found = [
        SimpleNamespace(
            lower=lower,
            better=lambda level, better=better: better,
            better_in_sets=lambda level, sets=sets: sets,
            by_spectrum=SimpleNamespace(ratio=SimpleNamespace(value=ratio)),
        )
        for (lower, better, sets), ratio in zip(flags, ratios, strict=True)
    ]
    assert counts(found, level=0.004) == ["3 of 5", "2 of 5", "1 of 5", "0.70"]  # type: ignore[arg-type]


def test_means_have_bias_and_slope(blocks: list[object]) -> None:
    plain, everything = (each for each in tables(blocks) if each.caption.startswith("Mean |error| in mM"))
    assert plain.caption.endswith("Nuisance of the signal model alone.")
    assert everything.caption.endswith("Every nuisance.")
    # Errors of 4 to both sides in turn, on truths of 1 to 40: the slope is 1 + 2 / 133.25.
    assert rows(plain)["A"][:3] == ["20.50 (11.69)", "4.00 (+0.00, 1.02)", "1.00 (+0.00, 1.00)"]
    assert rows(everything)["B"][1].startswith("12.00 (")


def test_ratios_and_shares(blocks: list[object]) -> None:
    plain = next(each for each in tables(blocks) if each.caption.startswith("Ratio of mean |error|"))
    assert rows(plain)["A"] == [
        "0.50 (0.50 to 0.50); 100%", "2.00 (2.00 to 2.00); 0%", "0.25 (0.25 to 0.25); 100%", "1.00 (1.00 to 1.00); 0%",
    ]  # fmt: skip


def test_p_by_spectrum_and_by_set(blocks: list[object]) -> None:
    plain = next(each for each in tables(blocks) if each.caption.startswith("P of the signed-rank tests"))
    assert rows(plain)["B"] == ["< 0.001; 0.002", "< 0.001; 0.002", "< 0.001; 0.002", "1.00; 1.00"]


def test_seconds_are_those_of_the_run(blocks: list[object]) -> None:
    seconds = tables(blocks)[-1]
    assert seconds.caption == "Seconds a spectrum."
    assert "in this run on this machine" in seconds.note
    assert list(rows(seconds).values()) == [["0.0040", "0.0010", "0.0020", "0.0010"]] * 2


def test_bars_are_errors_over_the_spread(with_tables: Callable[..., Run], known: pd.DataFrame) -> None:
    figure = Drawing()
    table = quantified(with_tables(quantified=known), kind="signal model")
    paint_errors(figure, table=table, title="", compared=COMPARED)
    [axes] = figure.axes
    heights = [bar.get_height() for bar in axes.patches]
    spread = known["truth"][known["nuisance"] == "signal model"].iloc[:40].std()
    assert heights == pytest.approx([off / spread for off in (4, 4, 1, 1, 2, 2, 1, 1)])
    # Whoever always says 20.5 errs by 10 on the mean.
    [line] = axes.collections
    assert [segment[0][1] for segment in line.get_segments()] == pytest.approx([10 / spread] * 2)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["A", "B"]


def test_each_kind_has_its_panel(blocks: list[object]) -> None:
    [figure] = [block for block in blocks if isinstance(block, Figure)]
    assert [panel.alt for panel in figure.panels] == [
        "Mean error of each method by target, nuisance of the signal model alone",
        "Mean error of each method by target, every nuisance",
    ]

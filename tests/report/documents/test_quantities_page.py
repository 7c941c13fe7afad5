"""Quantities page: tables with their gates, pictures, what was noticed and what made the numbers; no name in it."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hepatica.cohort.atomic import write_json
from hepatica.report.documents import quantities_page
from hepatica.report.documents.quantities_page import write_quantities_page
from hepatica.spectroscopy.fitting.quantities import COLUMNS
from hepatica.spectroscopy.fitting.ratios import COLUMNS as RATIO_COLUMNS

MADE_FROM = {
    "hepatica": "0.1", "method": "map", "organ": "liver", "note": "research use only", "model": None, "basis": None,
    "priors": "b433", "pdff": 0.2, "header_overrides": {"te_ms": 30.0}, "spectra": ["1f", "2e"],
}  # fmt: skip

RATIOS = pd.DataFrame([(3, "tCho/water", 0.31, 0.2, 0.44, "mM/M")], columns=["row", *RATIO_COLUMNS])


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for number in (1, 3):
        Image.fromarray(np.full((60, 80, 3), 200, np.uint8)).save(tmp_path / f"specimen_{number:04d}_fit.png")
    write_json(tmp_path / "made_from.json", MADE_FROM)
    RATIOS.to_csv(tmp_path / "ratios.csv", index=False)
    return tmp_path


def row(spectrum: int, target: str, *, flags: str = "", crlb: float = 10.0) -> tuple[object, ...]:
    told = "3.1 ± 0.4 mM" if crlb < 50 else "not quantifiable: nothing found"
    return spectrum, target, 3.1 if crlb < 50 else np.nan, "mM", 0.4, 0.4, crlb, told, flags


QUANTITIES = pd.DataFrame(
    [row(1, "tCho"), row(1, "Ala", crlb=np.inf), row(3, "tCho", flags="chi² 9 & more")], columns=["row", *COLUMNS]
)
SPECTRA = pd.DataFrame(
    {
        "row": [1, 2, 3],
        "snr": [32.4, np.nan, 9.0],
        "linewidth_hz": [18.2, np.nan, np.nan],
        "notes": ["2 of 32 left out", np.nan, ""],
        "reason": [np.nan, "all points are zero", np.nan],
    }
)


def page_of(out: Path, quantities: pd.DataFrame = QUANTITIES, spectra: pd.DataFrame = SPECTRA) -> str:
    return write_quantities_page(quantities, spectra, out=out).read_text()


def test_each_spectrum_has_its_table_picture_and_notes(out: Path) -> None:
    page = page_of(out)
    assert page.count("data:image/jpeg") == 2
    assert "3.1 ± 0.4 mM" in page
    assert "not quantifiable: nothing found" in page
    assert "&gt; 999" in page
    assert "Ratios of what is reported of spectrum 3" in page
    assert "Ratios of what is reported of spectrum 1" not in page
    assert "0.31 (0.2 to 0.44) mM/M" in page
    assert "SNR 32; linewidth 18.2 Hz; 2 of 32 left out." in page
    assert "SNR 9." in page
    assert "nan" not in re.sub(r'"data:[^"]*"', "", page).lower().replace("resonan", "").replace("provenan", "")


def test_what_was_noticed_and_what_was_not_used_stands_out(out: Path) -> None:
    page = page_of(out)
    assert "Noticed: chi² 9 &amp; more." in page
    assert "Not used: all points are zero." in page
    overview = page[page.index('id="overview"') : page.index('id="spectrum-1"')]
    assert "1 of 2" in overview
    assert "all points are zero" in overview


def test_what_made_the_numbers_is_told(out: Path) -> None:
    page = page_of(out)
    assert "hepatica quantify: map; research use only" in page
    assert "te_ms 30.0" in page
    assert "b433" in page
    assert "Digest of the model" not in page


def test_one_spectrum_needs_no_overview(out: Path) -> None:
    page = page_of(out, QUANTITIES[QUANTITIES["row"] == 1], SPECTRA.head(1))
    assert 'id="overview"' not in page


def test_many_pictures_do_not_weigh_the_page_down(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantities_page, "PICTURED", 2)
    page = page_of(out)
    assert page.count("data:image/jpeg") == 1
    assert "Its picture is specimen_0003_fit.png." in page


def test_the_acquisition_is_a_table_of_what_files_say(out: Path) -> None:
    """Two spectra of one kind are one row; what is unknown is left blank."""
    acquired = {"f0_mhz": 127.74, "sequence": "press", "te_ms": 35.0, "tr_ms": 2000.0, "bandwidth_hz": 2000.0}
    acquired |= {"points": 1024, "averages": np.nan, "water_te_ms": 20.0}
    page = page_of(out, spectra=SPECTRA.assign(**{name: [each, np.nan, each] for name, each in acquired.items()}))
    section = page[page.index('id="acquisition"') : page.index('id="made-from"')]
    assert section.count("<tr>") == 2
    section = re.sub(r"<[^>]+>", " ", section)
    assert re.search(r"127\.74\s+press\s+35\s+2000\s+2000\s+1024\s+20\s+2\s", section)
    assert 'id="acquisition"' not in page_of(out)

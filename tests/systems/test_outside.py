"""Outside: systems of another package, found by entry point, train, lock, validate, explain and report."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from hepatica.cohort.phantom import SUSPECTED, phantom_tables
from hepatica.pathology.phantom import PhantomSettings as SlidePhantom
from hepatica.protocol import override
from hepatica.radiology.phantom import PhantomSettings as CtPhantom
from hepatica.report import write_report
from hepatica.runs import explain, train, validate
from hepatica.systems import find_system, listed

PACKAGE = Path(__file__).parent / "outside" / "outside_systems"
MORE = {
    "plain_slide": {"settings": SlidePhantom(side=512, images=1)},
    "five_class_ct": {
        "patients": 40,
        "population": replace(SUSPECTED, hcc_share=0.3),
        "settings": CtPhantom(matrix=64, slices=10, thickness_mm=16),
    },
}
"""Patients of every class, in small pictures."""

SMALLER = {"plain_slide": {"body_shape": {"channels": [16, 32, 64, 128], "stem_width": 16}}}
"""A narrower body than the published one."""

NAMES = ("plain_slide", "five_class_ct", "table_survival", "spectrum_and_table")


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The package as pip leaves it: importable, with the entry points of its metadata."""
    metadata = tmp_path / "site" / "outside_systems-1.0.dist-info"
    metadata.mkdir(parents=True)
    points = "".join(f"{name} = outside_systems.{name}:SYSTEM\n" for name in NAMES)
    (metadata / "entry_points.txt").write_text(f"[hepatica.systems]\n{points}")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: outside-systems\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(metadata.parent))
    monkeypatch.syspath_prepend(str(PACKAGE.parent))
    listed.cache_clear()
    yield
    listed.cache_clear()


def phantoms(name: str, folder: Path) -> list[Path]:
    """Two hospitals that can answer the system's question."""
    both = {"A": 1, "B": 2}
    if name == "table_survival":
        return [phantom_tables(folder / h, patients=60, seed=s, hospital=h) for h, s in both.items()]
    system = find_system(name)
    if name == "spectrum_and_table":
        return [system.phantom(folder / h, patients=20, seed=s, hospital=h) for h, s in both.items()]
    home = {"patients": 16, "seed": 2, "endpoints": "all"} | MORE.get(name, {})
    away = home | {"patients": 12, "seed": 1}
    return [system.phantom(folder / h, hospital=h, **each) for h, each in {"A": home, "B": away}.items()]


@pytest.mark.parametrize("name", NAMES)
def test_a_system_is_a_page(name: str) -> None:
    assert len((PACKAGE / f"{name}.py").read_text(encoding="utf-8").splitlines()) <= 60
    assert name in listed()


@pytest.mark.parametrize("name", NAMES)
def test_it_trains_locks_validates_explains_and_reports(name: str, sketches: None, tmp_path: Path) -> None:
    system, (home, away) = find_system(name), phantoms(name, tmp_path)
    run, external = tmp_path / "run", tmp_path / "run" / "external" / "b"
    train(system, home, run=run, settings=override(system.shortest_quick, SMALLER.get(name, {})))
    validate(run, away, out=external)
    drawn = explain(run, away, results=external, specimens=2)
    assert drawn
    assert all(path.stat().st_size for path in drawn)
    page = write_report(run, external=[external])
    text = page.read_text(encoding="utf-8")
    assert system.question.rstrip("?") in text
    assert (PACKAGE / f"{name}.py").read_text(encoding="utf-8").partition('"""')[2].partition(":")[0] in text
    metrics = pd.read_json(external / "metrics.json")
    assert metrics["value"].notna().any()

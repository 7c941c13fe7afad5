"""Interface: the package answers at once, and its functions give tables, pictures and pages."""

import subprocess
import sys
from pathlib import Path

import matplotlib.figure
import pytest

import hepatica as hp
from hepatica.cohort import RunError


def test_import_is_light() -> None:
    code = "import sys, hepatica; print(sorted({'torch', 'pandas', 'numpy', 'pydantic'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_names_are_those_it_says() -> None:
    assert dir(hp) == sorted(hp.__all__)
    assert all(hasattr(hp, name) for name in hp.__all__)
    with pytest.raises(AttributeError, match="no attribute 'trian'; it has"):
        _ = hp.trian


def test_systems_are_listed_without_torch() -> None:
    code = "import sys, hepatica; print(len(hepatica.list_systems())); print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == [str(len(hp.list_systems())), "False"]
    assert {"name", "question", "modality", "tasks", "year", "doi"} == set(hp.list_systems().columns)


def test_a_run_has_metrics_with_intervals(trained) -> None:
    run = hp.open_run(str(trained.run))
    metrics = run.metrics
    assert metrics.columns.tolist() == ["metric", "target", "value", "low", "high", "n", "method"]
    assert {"auroc", "c_index"} <= set(metrics["metric"])
    assert not metrics.duplicated(["metric", "target"]).any()
    assert run.system == "li_2025_cnn_sasm"
    assert repr(run).startswith("Run of li_2025_cnn_sasm in ")
    assert run._repr_html_().count("<table") == 1


def test_a_prediction_has_a_table_and_a_plot(trained, tmp_path: Path) -> None:
    slide = next((trained.other / "slides").glob("*.tif*"))
    found = hp.predict(trained.run, slide, out=tmp_path / "out")
    assert found.table["score"].notna().all()
    assert isinstance(found.plot(), matplotlib.figure.Figure)
    assert "<table" in found._repr_html_()
    with pytest.raises(RunError, match="has no pictures"):
        hp.predict(trained.run, slide, out=tmp_path / "none", pictures=0).plot()


def test_statistics_are_at_hand() -> None:
    assert str(hp.evaluate.auroc([0, 0, 1, 1], score=[0.1, 0.4, 0.35, 0.8])).startswith("0.750 (")

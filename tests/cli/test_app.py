"""App: every command teaches, fails in one line, and starts fast by loading nothing it does not need."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from hepatica.cli import _fault
from hepatica.cli import app as whole
from hepatica.cli.app import PANELS, remarks
from hepatica.runs.in_use import LOCK, in_use
from hepatica.runs.jobs import Jobs
from hepatica.systems import find_system

COMMANDS = (
    "demo", "study", "systems", "phantom", "fetch", "init", "train", "validate", "predict", "explain", "report",
    "verify",
    "evaluate", "scores", "readers", "audit", "export", "deidentify", "basis", "quantify",
    "doctor", "nuclei", "check", "features", "slurm", "bench", "serve", "node", "users",
)  # fmt: skip
HEAVY = ("torch", "pandas", "matplotlib", "lightning", "sklearn", "lifelines")
NETWORKS = ("torch", "timm", "lightning", "matplotlib", "sklearn", "scipy", "lifelines", "statsmodels")


Cli = Callable[..., SimpleNamespace]


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    script = (
        "import sys\nfrom hepatica.cli import main\nsys.argv = ['hepatica', '--help']\n"
        f"try: main()\nfinally: print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert all(command in done.stdout for command in COMMANDS)
    assert done.stdout.rstrip().endswith("[]")


def test_help_has_the_main_job_first_and_no_command_outside_a_panel(hepatica: Cli) -> None:
    shown = hepatica("--help").stdout
    places = [shown.index(f" {panel} ") for panel in ("Main job", "Data", "Statistics", "Tools")]
    assert places == sorted(places)
    assert " Commands " not in shown
    assert sum(map(len, PANELS.values())) == len(COMMANDS)


def test_quick_takes_the_quick_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    taken = {}

    def locked(settings: Any) -> SimpleNamespace:
        taken.update(vars(settings))
        return SimpleNamespace(caution="")

    monkeypatch.setattr("hepatica.runs.train", lambda *_, settings, **__: locked(settings))
    (tmp_path / "cohort.toml").touch()
    words = ["train", "li_2025_cnn_sasm", str(tmp_path), "--run", "x", "--quick", "--set", "epochs=3"]
    done = CliRunner().invoke(whole, words, catch_exceptions=False)
    assert done.exit_code == 0
    assert taken == vars(find_system("li_2025_cnn_sasm").quick) | {"epochs": 3}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(hepatica: Cli, command: str) -> None:
    done = hepatica(command, "--help")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) > 5


def test_systems_fit_eighty_columns_and_load_no_networks(hepatica: Cli) -> None:
    script = (
        "import sys\nfrom hepatica.cli import main\nsys.argv = ['hepatica', 'systems']\n"
        f"try: main()\nfinally: print([name for name in {NETWORKS!r} if name in sys.modules])"
    )
    environment = {**os.environ, "COLUMNS": "80"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    *lines, loaded = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert loaded == "[]"
    for found in json.loads(hepatica("systems", "--json").stdout):
        assert any(line.startswith(f"{found['name']} ") for line in lines)
        assert any(line.rstrip().endswith(found["paper"]["doi"]) for line in lines)


def test_systems_as_json(hepatica: Cli) -> None:
    records = json.loads(hepatica("systems", "--json").stdout)
    found = {record["name"]: record for record in records}
    paper = found["li_2025_cnn_sasm"]["paper"]
    assert paper["doi"] == "10.1186/s12916-025-03977-4"
    assert paper["reported"]["external"]["auroc recurrence_12"] == 0.713


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("train", "li_2025_cnn_sasn", ".", "--run", "x"), "li_2025_cnn_sasm"),
        (("train", "li_2025_cnn_sasm", ".", "--run", "x", "--set", "epoch=3"), "did you mean epochs"),
        (("train", "li_2025_cnn_sasm", ".", "--run", "x", "--set", "epochs"), "KEY=VALUE"),
        (("train", "li_2025_cnn_sasm", ".", "--run", "x", "--set", "epochs=many"), "epochs"),
        (("train", "li_2025_cnn_sasm", "tests", "--run", "x"), "cohort.toml"),
        (("validate", "tests", "tests"), "not a run folder"),
        (("report", "tests"), "not a run folder"),
        (("phantom", "slides", "tests", "--patients", "2"), "not empty"),
        (("phantom", "slides", "x", "--seed", "-1"), "--seed"),
        (("explain", "tests", "tests", "--specimens", "0"), "--specimens"),
        (("predict", "tests", "tests", "--out", "x", "--pictures", "-1"), "--pictures"),
    ],
)
def test_faults_are_one_line_and_exit_code_2(hepatica: Cli, words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    (tmp_path / "cohort.toml").touch()
    done = hepatica(*(str(tmp_path) if word == "." else word for word in words))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_two_commands_do_not_write_into_one_folder_at_once(hepatica: Cli, tmp_path: Path) -> None:
    run, slide, out = tmp_path / "run", tmp_path / "a.svs", tmp_path / "out"
    run.mkdir()
    (run / "settings.toml").touch()
    slide.touch()
    with in_use(out):
        done = hepatica("predict", run, slide, "--out", out)
        assert (done.returncode, "is in use by another process" in done.stderr) == (2, True)
        assert "in use" not in hepatica("predict", run, slide, "--out", out, "--jobs", "share").stderr
    assert "in use" not in hepatica("predict", run, slide, "--out", out).stderr
    assert not (out / LOCK).exists()


def test_a_table_of_jobs_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "jobs.sqlite").write_bytes(bytes(range(256)) * 16)
    with pytest.raises(sqlite3.DatabaseError) as caught:
        Jobs(tmp_path / "jobs.sqlite")
    assert _fault(caught.value) == (
        "the table of jobs: file is not a database; free space, or make the database ready, then start again"
    )


def test_predict_says_one_line_for_a_file_that_is_no_slide(hepatica: Cli, trained, tmp_path: Path) -> None:
    (tmp_path / "ct.nii.gz").write_bytes(b"\x1f\x8b nothing")
    done = hepatica("predict", trained.run, tmp_path / "ct.nii.gz", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Not assessable: no score." in page
    assert "ct.nii" not in page


def test_doctor_finds_what_is_installed(hepatica: Cli) -> None:
    done = hepatica("doctor")
    assert done.returncode == 0
    for module in ("openslide", "SimpleITK", "nifti_mrs", "onnxruntime", "openpyxl"):  # a room each
        assert f"{module} " in done.stdout


def test_predict_says_what_not_to_overlook(tmp_path: Path) -> None:
    rows = [
        {"row": 2, "in_mm": True, "notes": "the axis was put right"},
        {"row": 3, "in_mm": False, "flags": "unlike the others"},
        {"row": 4, "reason": "cannot be read"},
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "specimens.csv", index=False)
    assert remarks(tmp_path / "specimens.csv") == [
        "specimen 2: the axis was put right", "specimen 3: unlike the others", "specimen 4: cannot be read",
    ]  # fmt: skip


def test_nothing_but_the_name_is_help_and_a_version_is_told(hepatica: Cli) -> None:
    for words in ((), ("phantom",)):
        done = hepatica(*words)
        assert (done.returncode, done.stderr) == (0, "")
        assert "Usage" in done.stdout
    assert hepatica("--version").stdout == f"hepatica {version('hepatica')}\n"


def test_wrong_paths_fail_before_torch_is_imported(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom hepatica.cli import main\n"
        "for words in ('train shi_2021 . --run x', 'predict . . --out x', 'report no'):\n"
        "    sys.argv = ['hepatica', *words.split()]\n    try: main()\n"
        "    except SystemExit as left: print(left.code)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.split() == ["2", "2", "2", "False"]
    assert "hepatica init makes one" in done.stderr


def test_the_shell_completes_commands(tmp_path: Path) -> None:
    command = tmp_path / "hepatica"
    command.write_text("from hepatica.cli import main\nmain()\n")
    words = {"_HEPATICA_COMPLETE": "complete_bash", "COMP_WORDS": "hepatica chec", "COMP_CWORD": "1"}
    done = subprocess.run([sys.executable, command], capture_output=True, text=True, env={**os.environ, **words})
    assert done.stdout.split() == ["check"]

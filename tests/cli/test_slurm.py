"""Slurm: the script submits an array and what follows it; on a real SLURM the results are those of the call alone."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from services import program
from slurm_cluster import slurm_cluster, wait_for_jobs
from typer.testing import CliRunner

from hepatica.cli import app
from hepatica.cohort import SettingsError
from hepatica.runs.jobs import Jobs


def written(tmp_path: Path, *words: str, options: tuple[str, ...] = ()) -> Path:
    script = tmp_path / "own.sh"
    done = CliRunner().invoke(app, ["slurm", "--script", str(script), *options, "--", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return script


def test_the_script_says_what_each_element_does(tmp_path: Path) -> None:
    words = ("predict", "my run", "cohort", "--out", "out")
    text = written(tmp_path, *words, options=("--elements", "3", "--cpus", "2", "--sbatch=--time=1:00:00")).read_text()
    assert text.startswith("#!/bin/bash\n")
    assert "#SBATCH --cpus-per-task=2\n#SBATCH --time=1:00:00\n" in text
    assert "--array=0-2" in text
    assert f"{shlex.join(words)} ${{SLURM_ARRAY_TASK_ID:+--jobs share}}\n" in text
    assert subprocess.run(["bash", "-n", tmp_path / "own.sh"]).returncode == 0


def test_elements_on_several_nodes_need_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["slurm", "--script", str(tmp_path / "own.sh"), "--", "predict", "run", "cohort", "--out", "out"]
    monkeypatch.delenv("HEPATICA_LEDGER", raising=False)
    assert "for several nodes first: export HEPATICA_LEDGER=" in CliRunner().invoke(app, words).output
    monkeypatch.setenv("HEPATICA_LEDGER", "postgresql://host/jobs")
    assert "HEPATICA_LEDGER" not in CliRunner().invoke(app, words).output


@pytest.mark.parametrize("words", [["report", "run"], ["predict", "run", "c", "--jobs", "2"], ["train", "--ray=local"]])
def test_commands_without_shares_are_refused(tmp_path: Path, words: list[str]) -> None:
    with pytest.raises(
        SettingsError, match="wanted features, train, validate, predict, quantify, explain without --jobs and --ray"
    ):
        written(tmp_path, *words)


@pytest.mark.parametrize("words", [["--out", "s3://bucket/out"], ["--out=s3://bucket/out"]])
def test_a_folder_in_a_store_is_refused(tmp_path: Path, words: list[str]) -> None:
    with pytest.raises(SettingsError, match="wanted folders that all nodes see"):
        written(tmp_path, "predict", "run", "cohort", *words)


@pytest.mark.parametrize("words", [["--dicomweb", "https://pacs/dicom-web"], ["--dicomweb=https://pacs/dicom-web"]])
def test_the_address_of_a_server_is_no_folder(tmp_path: Path, words: list[str]) -> None:
    assert "https://pacs/dicom-web" in written(tmp_path, "predict", "run", "--study", "1.2", *words).read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="a SLURM of one's own needs root")
def test_an_array_of_a_real_slurm_shares_the_specimens_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("munged", "slurmctld", "slurmd", "sbatch"):
        program(name)
    monkeypatch.setattr(sys, "argv", ["pytest"])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    from hepatica.spectroscopy.phantom import phantom_spectra

    cohort = phantom_spectra(tmp_path / "cohort", patients=3, seed=3)
    (own := tmp_path / "100 %A of it").mkdir()
    script = written(
        own, "quantify", str(cohort), "--out", str(tmp_path / "out"), options=("--elements", "2", "--cpus", "1")
    )
    with slurm_cluster(tmp_path / "slurm") as environment:
        subprocess.run(["bash", script], env=environment, check=True)
        wait_for_jobs(environment, seconds=120)
    logs = [path.read_text() for path in own.glob("own.*.log")]
    jobs = Jobs(tmp_path / "out" / "prepared" / "jobs.sqlite").all()
    assert {each.state for each in jobs} == {"done"}, logs
    assert sum("no specimen is left" in each for each in logs) == 2
    assert sum("spectra," in each for each in logs) == 1
    assert (tmp_path / "out" / "quantities.csv").exists()

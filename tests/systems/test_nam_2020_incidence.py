"""Nam 2020, incidence: the size of the network, its horizons, and that it finds what the phantom has."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hepatica.clinical.landmarks import train_at_horizons
from hepatica.cohort import load_cohort
from hepatica.evaluate import Risk, c_index
from hepatica.report.chapters.variables import comparators, importance
from hepatica.report.page import Gallery, Section, Table, read_run
from hepatica.runs import explain, train, validate
from hepatica.systems.nam_2020_incidence import SYSTEM, Settings, build


def test_network_has_seven_layers_and_as_many_weights_as_counted_by_hand() -> None:
    # 13 values and whether each is missing: 26 x 8 + 8; two blocks of two layers 8 x 8 + 8 with 16 of a batch norm;
    # a layer 8 x 8 + 8 with its batch norm; two outputs.
    network = build(Settings(), pretrained=False)
    assert len(Settings().columns) == 13
    assert sum(isinstance(each, nn.Linear) for each in network.modules()) == 7
    expected = 26 * 8 + 8 + 2 * (2 * (8 * 8 + 8) + 16) + (8 * 8 + 8 + 16) + 8 * 2 + 2
    assert sum(each.numel() for each in network.parameters()) == expected == 642
    assert network.eval()(torch.randn(5, 13)).logits.shape == (5, 2)


def test_a_block_of_zeros_passes_its_input() -> None:
    network = build(Settings(), pretrained=False).eval()
    blocks = [each for each in network.modules() if hasattr(each, "inner")]
    assert len(blocks) == 2
    with torch.no_grad():
        for each in blocks[0].parameters():
            each.zero_()
    values = torch.rand(3, 8)
    assert torch.equal(blocks[0](values), values)


def test_scores_are_of_three_and_five_years() -> None:
    assert [each.key for each in SYSTEM.targets(Settings())] == ["incidence_36", "incidence_60"]


def test_weighted_controls_stand_for_the_censored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels and weights by 36 and 60 months; a patient censored at 40 counts at 36 alone."""
    seen: list[pd.DataFrame] = []
    monkeypatch.setattr(
        "hepatica.clinical.landmarks.train_plainly", lambda training, outcome, loss: seen.append(outcome) or {}
    )
    cohort = load_cohort(SYSTEM.phantom(tmp_path / "c", patients=4, seed=1))
    patients = cohort.patients.assign(incidence_months=[30.0, 40.0, 50.0, 70.0], incidence_event=[1, 0, 1, 0])
    split = SimpleNamespace(train=tuple(patients.index))
    training = SimpleNamespace(
        settings=Settings(controls="weighted"),
        cohort=replace(cohort, patients=patients),
        split=split,
        task=SYSTEM.tasks(Settings())[0],
    )
    train_at_horizons(training)
    labels, weights = np.split(seen[0].to_numpy(), 2, axis=1)
    assert labels.tolist() == [[1, 1], [0, 0], [0, 1], [0, 0]]
    # Of three who are followed at 40, one is censored: those after it stand for 3 / 2 each at 60 months.
    assert weights == pytest.approx(np.array([[1, 1], [1, 0], [1, 1.5], [1, 1.5]]))


@pytest.fixture(scope="module")
def external(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As many patients as the paper, and a second hospital; explained. Seeds fixed beforehand."""
    folder = tmp_path_factory.mktemp("nam")
    home = SYSTEM.phantom(folder / "home", patients=424, seed=2020, hospital="A")
    away = SYSTEM.phantom(folder / "away", patients=600, seed=2021, hospital="B")
    train(SYSTEM, home, run=folder / "run")
    validate(folder / "run", away, out=folder / "run/external/away")
    explain(folder / "run", away, results=folder / "run/external/away", specimens=1)
    return folder


def test_planted_signal_is_found_in_another_hospital(external: Path) -> None:
    metrics = pd.read_json(external / "run/external/away/metrics.json").query("metric == 'c_index'").set_index("target")
    patients = load_cohort(external / "away").patients
    truth = pd.read_csv(external / "away/truth.csv", index_col="patient_id").loc[patients.index]
    oracle = c_index(
        patients["incidence_months"],
        event=(patients["incidence_event"] == 1).astype(int),
        score=Risk(truth["recurrence_log_hazard"].to_numpy()),
    )
    for key, row in metrics.iterrows():
        print(f"{key}: C-index {row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f}); oracle {oracle}")
        assert row["low"] > 0.5
        assert row["value"] < oracle.high


def tables(made: Section | str) -> list[Table]:
    assert isinstance(made, Section)
    return [block for block in made.blocks if isinstance(block, Table)]


def test_report_has_the_scores_on_the_same_patients_and_the_variables(external: Path, tmp_path: Path) -> None:
    run, gallery = read_run(external / "run"), Gallery(tmp_path, phantom=True)
    _, away = tables(comparators.section(run, gallery))
    first = [list(row) for row in away.rows[1:6]]
    assert [row[0] for row in first] == [
        "PAGE-B", "mPAGE-B", "CU-HCC of the Chinese University of Hong Kong", "HCC-RESCUE",
        "Toronto HCC risk index",
    ]  # fmt: skip
    assert {row[1] for row in first} == {"600\u00a0(100%)"}
    (variables,) = tables(importance.section(run, gallery))
    assert len(variables.rows) == 13
    assert {row[0] for row in variables.rows[:5]} & {"Age (years)", "log10 AFP (ng/mL)"}

"""Nam 2020, MoRAL-AI: the size of the network, and that it finds more than the criteria do."""

from pathlib import Path

import pandas as pd
import torch

from hepatica.cohort import load_cohort
from hepatica.evaluate import Risk, c_index
from hepatica.report.chapters.comparators import compared
from hepatica.report.page import read_run
from hepatica.runs import train, validate
from hepatica.systems.nam_2020_moral_ai import SYSTEM, Settings, build


def test_network_has_as_many_weights_as_counted_by_hand() -> None:
    # As nam_2020_incidence, of 6 values, with one output.
    network = build(Settings(), pretrained=False)
    expected = 12 * 8 + 8 + 2 * (2 * (8 * 8 + 8) + 16) + (8 * 8 + 8 + 16) + 8 + 1
    assert sum(each.numel() for each in network.parameters()) == expected == 521
    assert network.eval()(torch.randn(5, 6)).logits.shape == (5, 1)


def test_planted_signal_is_found_in_another_hospital_beside_the_criteria(tmp_path: Path) -> None:
    home = SYSTEM.phantom(tmp_path / "home", patients=349, seed=2020, hospital="A")
    away = SYSTEM.phantom(tmp_path / "away", patients=600, seed=2021, hospital="B")
    train(SYSTEM, home, run=tmp_path / "run")
    validate(tmp_path / "run", away, out=tmp_path / "run/external/away")
    results, patients = read_run(tmp_path / "run").external[0], load_cohort(away).patients
    truth = pd.read_csv(away / "truth.csv", index_col="patient_id").loc[patients.index, "recurrence_log_hazard"]
    outcomes = results.outcomes(read_run(tmp_path / "run").targets[0])
    oracle = c_index(outcomes["time"], event=outcomes["event"], score=Risk(truth.loc[outcomes.index].to_numpy()))
    beside = results.comparators()
    assert beside is not None
    found = {name: compared(outcomes, beside.loc[outcomes.index, name].to_numpy(), followed=True) for name in beside}
    own = next(iter(found.values()))[1]
    print(f"MoRAL-AI {own}, oracle {oracle}", {name: str(each[0]) for name, each in found.items()})
    assert own.low > 0.5
    assert own.value < oracle.high
    assert set(found) == {"milan", "ucsf", "up_to_seven", "kyoto", "moral"}
    assert all(each[0].n == 600 for each in found.values())

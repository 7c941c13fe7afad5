"""Multi-omics autoencoder: nothing is learnt of test patients; subtypes go with what the phantom planted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from hepatica.cohort import Cohort, SettingsError, Split, load_cohort
from hepatica.cohort.phantom import RESECTED, SCREENED, phantom_tables
from hepatica.protocol import Training, override
from hepatica.systems.chaudhary_2018 import SYSTEM, build, eligible, train

SETTINGS = override(SYSTEM.shortest_quick, {"epochs": 1, "permutations": 1, "resamples": 2})


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    folder = tmp_path_factory.mktemp("omics") / "A"
    phantom_tables(folder, patients=120, seed=5, population=RESECTED, difficulty=0)
    (folder / "sets.gmt").write_text(
        "CYCLE\tx\tMKI67\tTOP2A\tAURKA\tBIRC5\tCDK1\nNOISE\tx\t" + "\t".join(f"NOISE{n:03d}" for n in range(5))
    )
    return load_cohort(folder)


def trained(cohort: Cohort, folder: Path, **changes):
    settings = SYSTEM.completed(cohort, override(SETTINGS, changes))
    ids, network = list(cohort.patients.index), build(settings, pretrained=False)
    training = Training(
        network=network, material=SYSTEM.prepare(cohort, settings, folder / "prepared"), cohort=cohort,
        split=Split(train=tuple(ids[:80]), validation=(), test=tuple(ids[80:])), settings=settings,
        folder=folder / "work", trainer={}, task=SYSTEM.tasks(settings)[0],
    )  # fmt: skip
    return network, train(training), training


def test_survival_and_values_of_test_patients_change_nothing(cohort: Cohort, tmp_path: Path) -> None:
    network, record, training = trained(cohort, tmp_path / "a")
    shuffled = cohort.patients.copy()
    test, columns = shuffled.index[80:], ["overall_survival_months", "overall_survival_event"]
    shuffled.loc[test, columns] = shuffled.loc[test[::-1], columns].to_numpy()
    other, again, _ = trained(replace(cohort, patients=shuffled), tmp_path / "b")
    assert again == record
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name
    found = SYSTEM.read(network, training.material, training.settings)
    wide = found.specimens.pivot(index="patient_id", columns="class_or_quantity", values="score")
    np.testing.assert_allclose(wide.sum(axis=1), 1, atol=1e-6)
    aggressive = pd.read_csv(cohort.folder / "truth.csv").set_index("patient_id")["aggressiveness"]
    assert np.corrcoef(wide["S1"][test], aggressive[test])[0, 1] > 0.4


def test_pathways_and_mutations_are_those_of_the_cohort(cohort: Cohort, tmp_path: Path) -> None:
    record = trained(cohort, tmp_path, pathways="sets.gmt")[1]
    sets = pd.read_csv(tmp_path / "work" / "pathways.csv").set_index("set")
    assert sets["genes"].to_dict() == {"CYCLE": 5, "NOISE": 5}
    assert sets.index[0] == "CYCLE"
    assert sets.loc["CYCLE", "chosen"] >= 3 > sets.loc["NOISE", "chosen"]
    named = sets.index[sets["q"] < 0.05]
    assert record["pathways associated with subtypes"] == (", ".join(named) or "none")
    assert set(pd.read_csv(tmp_path / "work" / "mutations.csv")["mutation"]) == {"TP53", "CTNNB1", "ARID1A", "RB1"}
    with pytest.raises(SettingsError, match="wanted a GMT file inside the cohort folder"):
        trained(cohort, tmp_path / "other", pathways="../sets.gmt")


def test_patients_without_hcc_are_not_trained_on(cohort: Cohort, tmp_path: Path) -> None:
    screened = load_cohort(phantom_tables(tmp_path / "B", patients=20, seed=5, population=SCREENED))
    assert len(eligible(screened, SETTINGS)) == 12
    assert len(eligible(cohort, SETTINGS)) == 120

"""Bae 2025, cCNN: the rules that only this system has."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from hepatica.cohort import CohortError, SettingsError, SpecimenError, Split, load_cohort, read_predictions
from hepatica.cohort.atomic import read_json
from hepatica.protocol import override
from hepatica.runs import open_run
from hepatica.spectroscopy.cohorts.spectra import SpectraStore
from hepatica.systems.bae_2025_ccnn import SYSTEM, Settings, build, predict, simulated_classes


@pytest.fixture
def own(trained_spectra):
    return trained_spectra["bae_2025_ccnn"]


def training(own, **changes) -> SimpleNamespace:
    """What the run was trained on."""
    cohort, settings = load_cohort(own.cohort), replace(open_run(own.run).settings, **changes)
    return SimpleNamespace(
        material=SYSTEM.prepare(cohort, settings, own.run / "prepared"),
        cohort=cohort,
        settings=settings,
        split=Split.read(own.run / "splits.csv"),
        task=SYSTEM.tasks(settings)[0],
    )


def test_shares_are_the_paper_s() -> None:
    assert Settings().test == pytest.approx(17 / 37)
    assert Settings().validation == 0
    assert Settings().nuisance == "pooled"
    assert SYSTEM.tasks(Settings())[0].cutoff == "of_simulation"


def test_a_plain_effect_is_found_in_patients_never_seen(own) -> None:
    table = read_predictions(own.run / "predictions.parquet")
    test = table[table["specimen_id"].isna() & (table["fold"] == "test")]
    label = load_cohort(own.cohort).patients["hcc"].loc[test["patient_id"]].to_numpy()
    score = test["score"].to_numpy()
    assert np.mean([a > b for a in score[label == 1] for b in score[label == 0]]) > 0.8


def test_temperature_and_cutoff_are_those_of_simulation(own) -> None:
    locked = open_run(own.run)
    assert locked.cutoffs == {"hcc": float(locked.network.cutoff)}
    told = read_json(own.run / "model.json")["training"]
    assert told["simulated spectra that fixed temperature and cut-off"] == 512
    assert told["patients without HCC that were fitted"] > told["patients with HCC that were fitted"] >= 4


def test_spectra_turned_round_are_flagged_and_hardly_one_of_the_others(own, monkeypatch: pytest.MonkeyPatch) -> None:
    locked, material = open_run(own.run), training(own).material
    read = SpectraStore.read
    usual = predict(locked.network, material, locked.settings).specimens
    monkeypatch.setattr(SpectraStore, "read", lambda store, rows: read(store, rows)[:, :, ::-1].copy())
    turned = predict(locked.network, material, locked.settings).specimens
    assert (usual["flags"] == "").mean() > 0.8
    assert turned["flags"].str.startswith("unlike the training spectra").all()


def test_patients_set_the_priors_of_their_class_and_pool_the_nuisance(own) -> None:
    (without, with_hcc), counts = simulated_classes(training(own))
    names = without.model.names
    raised = with_hcc.priors.log_mean - without.priors.log_mean
    assert raised[[names.index(name) for name in ("Lip13", "PCh")]].min() > 0.2
    assert without.priors.nuisance == with_hcc.priors.nuisance
    assert sum(counts) == len(training(own).split.train)
    assert without.seed != with_hcc.seed


def test_nuisance_may_be_kept_per_class(own) -> None:
    (without, with_hcc), _ = simulated_classes(training(own, nuisance="per_class"))
    assert without.priors.nuisance["snr"] != with_hcc.priors.nuisance["snr"]


def test_too_few_patients_of_a_class_are_told(own) -> None:
    known = training(own)
    healthy = [name for name in known.split.train if known.cohort.patients.loc[name, "hcc"] == 0]
    few = [name for name in known.split.train if known.cohort.patients.loc[name, "hcc"] == 1][:3]
    known.split = replace(known.split, train=(*healthy, *few))
    with pytest.raises(CohortError, match="and 3 with HCC whose spectrum can be fitted, wanted 4 or more"):
        simulated_classes(known)


def test_patients_of_unknown_diagnosis_are_not_trained_on(own) -> None:
    cohort = load_cohort(own.cohort)
    unknown = cohort.patients.index[2]
    patients = cohort.patients.assign(hcc=cohort.patients["hcc"].mask(cohort.patients.index == unknown))
    known = SYSTEM.trainable(replace(cohort, patients=patients), Settings())
    assert set(known) == set(cohort.patients.index) - {unknown}


def test_spectra_of_another_acquisition_are_refused_one_by_one(own, tmp_path) -> None:
    cohort = load_cohort(own.cohort)
    few = replace(cohort, specimens=cohort.specimens[:2])
    with pytest.raises(SpecimenError, match="TE 35 ms, not 144"):
        SYSTEM.prepare(few, replace(Settings(), te_ms=144.0), tmp_path)


def test_one_seed_builds_one_network() -> None:
    first, second = (build(SYSTEM.quick, pretrained=False).state_dict() for _ in range(2))
    assert all((first[name] == second[name]).all() for name in first)


@pytest.mark.parametrize("changes", [{"nuisance": "some"}, {"test": 1.0}, {"members": 0}, {"batch": 1}])
def test_settings_out_of_range_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(changes))):
        override(Settings(), changes)

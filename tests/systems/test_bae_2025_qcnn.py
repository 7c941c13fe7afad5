"""Bae 2025, qCNN: the rules that only this system has."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from hepatica.cohort import Split, load_cohort, read_predictions
from hepatica.evaluate import fit_discriminant
from hepatica.runs import open_run
from hepatica.spectroscopy.signal.targets import LIVER20, SUMS
from hepatica.systems.bae_2025_qcnn import SYSTEM, Settings, features, quantify


@pytest.fixture
def own(trained_spectra):
    return trained_spectra["bae_2025_qcnn"]


def test_there_are_fifteen_metabolites_and_five_lipids() -> None:
    assert Settings().model.names == LIVER20
    assert len(LIVER20) == 15 + 5
    assert SYSTEM.tasks(Settings())[0].cutoff == "balanced"


def test_each_spectrum_has_values_standard_deviations_and_bounds(own) -> None:
    regions = pd.read_parquet(own.run / "regions.parquet")
    sums = [name for name, parts in SUMS.items() if set(parts) <= set(LIVER20)]
    assert "tCho" in sums
    for name in (*LIVER20, *sums):
        assert (regions[f"{name}_mm"] >= 0).all()
        assert (regions[f"{name}_mm_sd"] > 0).all()
        assert (regions[f"{name}_mm_crlb"] > 0).all()
    assert len(regions) == len(load_cohort(own.cohort).patients)
    assert regions["in_mm"].all()
    np.testing.assert_allclose(regions["tCho_mm"], regions[["Cho_mm", "GPC_mm", "PCh_mm"]].sum(axis=1))


def test_lipids_follow_the_truth(own) -> None:
    regions = pd.read_parquet(own.run / "regions.parquet").set_index("patient_id")
    truth = pd.read_csv(own.cohort / "truth.csv").set_index("patient_id").loc[regions.index]
    assert np.corrcoef(np.log(regions["Lip13_mm"] + 1), np.log(truth["Lip13_mm"] + 1))[0, 1] > 0.8


def test_the_score_is_the_discriminant_of_the_training_patients(own) -> None:
    locked, cohort = open_run(own.run), load_cohort(own.cohort)
    spectra = SYSTEM.prepare(cohort, locked.settings, own.run / "prepared")
    train = spectra.select(patient_ids=Split.read(own.run / "splits.csv").train)
    qcnn = locked.network.extractor
    with torch.inference_mode():
        squeezed = features(qcnn, quantify(qcnn, train)[0]).numpy()
    label = cohort.patients["hcc"].loc[train.index["patient_id"]].to_numpy()
    wanted = fit_discriminant(squeezed, label=label)
    head = locked.network.heads["hcc"]
    np.testing.assert_allclose(head.weight[0].detach(), wanted.weights, rtol=1e-3, atol=1e-3)
    table = read_predictions(own.run / "predictions.parquet").dropna(subset="specimen_id").set_index("specimen_id")
    score = table[table["endpoint"] == "hcc"].loc[train.index["specimen_id"], "score"]
    np.testing.assert_allclose(score, wanted.probability(squeezed), atol=1e-3)


def test_specimens_tell_their_concentrations(own) -> None:
    locked, cohort = open_run(own.run), load_cohort(own.cohort)
    few = replace(cohort, specimens=cohort.specimens[:2])
    spectra = SYSTEM.prepare(few, locked.settings, own.run / "prepared")
    inference = SYSTEM.read(locked.network, spectra, locked.settings)
    assert {"Lip13_mm", "tCho_mm_sd", "Glx_mm_crlb"} <= set(inference.specimens)
    rows = inference.specimens[inference.specimens["class_or_quantity"] == "Lip13"]
    assert set(rows["endpoint"]) == {"concentration"}
    np.testing.assert_array_equal(rows["score"], rows["Lip13_mm"])
    assert inference.signatures.shape == (2, locked.settings.signature)

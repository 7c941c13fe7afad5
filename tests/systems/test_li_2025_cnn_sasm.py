"""Li 2025: the rules of paper 001 that only this system has."""

from dataclasses import replace

import pytest
import torch

from hepatica.cohort import SettingsError, load_cohort
from hepatica.protocol import override
from hepatica.systems.li_2025_cnn_sasm import RELEASED, SYSTEM, Settings, build


def test_numbers_of_the_paper_are_the_defaults() -> None:
    settings = plan = Settings()
    assert (plan.epochs, plan.batch, plan.learning_rate, plan.betas) == (50, 128, 1e-4, (0.9, 0.99))
    assert (plan.lr_step_epochs, plan.lr_step_factor, plan.patience, plan.monitor) == (10, 0.1, 5, "train_loss")
    assert (plan.head_epochs, plan.head_learning_rate, plan.head_dropout) == (50, 1e-3, 0.5)
    assert [target.horizon for target in SYSTEM.targets(settings)] == [12, 24, None]
    assert (settings.side, settings.ratio, settings.warm_epochs) == (224, 0.5, 0)


def test_extractor_of_the_defaults_is_the_paper_s() -> None:
    network = build(Settings(), pretrained=False)
    assert sum(each.numel() for each in network.extractor.parameters()) == 12_303_980
    assert set(network.heads) == {"recurrence_12", "recurrence_24", "recurrence_final"}


def test_one_seed_builds_one_network() -> None:
    first, second = (build(SYSTEM.quick, pretrained=False).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    other = build(replace(SYSTEM.quick, seed=1), pretrained=False).state_dict()
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_released_code_differs_in_loss_and_mixing_alone() -> None:
    assert replace(RELEASED.settings, loss_on="logits", mix="transpose") == SYSTEM.settings


def test_treated_patients_are_not_trained_on(trained) -> None:
    cohort = load_cohort(trained.cohort)
    treatment = cohort.patients["treatment"]
    assert set(SYSTEM.eligible(cohort, SYSTEM.settings)) == set(treatment.index[treatment == "none"])
    assert (treatment != "none").any()
    untold = replace(cohort, patients=cohort.patients.drop(columns="treatment"))
    assert len(SYSTEM.eligible(untold, SYSTEM.settings)) == len(cohort.patients)


@pytest.mark.parametrize(
    "changes",
    [
        {"side": 100},
        {"side": 0},
        {"test": 1.0},
        {"epochs": 0},
        {"batch": 1},
        {"validation": 0.0},
        {"ratio": "many"},
        {"mix": "other"},
        {"horizons": [0]},
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(changes))):
        override(Settings(), changes)

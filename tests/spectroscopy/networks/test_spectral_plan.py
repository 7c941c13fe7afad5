"""Spectral plan: the acquisition it tells, and bodies that depend on the seed alone."""

import pytest
import torch

from hepatica.cohort import SettingsError
from hepatica.protocol import override
from hepatica.spectroscopy.networks.spectral_plan import SpectralPlan
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.targets import LIVER20
from hepatica.spectroscopy.simulation.nuisance import OF_MODEL, STANDARD

SMALL = SpectralPlan(members=2, width=4, hidden=16, signature=8)


def test_the_acquisition_is_a_3_t_liver_by_default() -> None:
    assert SpectralPlan().acquisition == Acquisition()
    assert SpectralPlan(te_ms=20.0, sequence="steam").acquisition == Acquisition(te_ms=20.0, sequence="steam")


def test_the_model_has_the_default_targets_and_is_made_once() -> None:
    assert SMALL.model.names == LIVER20
    assert SpectralPlan(seed=5).model is SMALL.model


def test_effects_are_all_or_the_model_s() -> None:
    assert SpectralPlan().simulated == STANDARD
    assert SpectralPlan(effects="of_model").simulated == OF_MODEL


def test_members_differ_and_one_seed_gives_the_same_ones() -> None:
    first, again = SMALL.bodies(), SMALL.bodies()
    assert [body.points for body in first] == [SMALL.model.ppm.size] * 2
    assert torch.equal(first[0].sign[0].weight, again[0].sign[0].weight)
    assert not torch.equal(first[0].sign[0].weight, first[1].sign[0].weight)


@pytest.mark.parametrize(
    "changes", [{"members": 0}, {"te_ms": 0}, {"effects": "some"}, {"held_out": 3}, {"dropout": 1}, {"points": 100}]
)
def test_settings_out_of_range_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(changes))):
        override(SpectralPlan(), changes)

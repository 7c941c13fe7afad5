"""An 2020: parameters, the loss by hand, and what is said of a pair that needs no registration."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hepatica.systems import an_2020
from hepatica.systems.an_2020 import SYSTEM, Registering, build, loss_of

SETTINGS = SYSTEM.shortest_quick


def test_parameters_at_the_full_size() -> None:
    with torch.device("meta"):
        network = Registering(SYSTEM.settings)
    pairs = 2 * 16 + 16 * 32 + 2 * 32 * 32 + 2 * 64 * 32 + 48 * 16 + 16 * 3
    assert sum(each.numel() for each in network.parameters()) == 27 * pairs + 16 + 3 * 32 + 2 * 32 + 16 + 3


def test_loss_is_the_sum_of_its_terms() -> None:
    z, y, x = SETTINGS.voxels
    maps = torch.zeros(1, 6, z, y, x)
    torch.manual_seed(0)
    maps[:, :2] = torch.rand(1, 1, z, y, x)  # the same image twice
    maps[:, 2] = 1
    maps[:, 3] = 2.0  # 2 mm along z everywhere
    landmarks = torch.zeros(1, 16, 7)
    landmarks[0, 0] = torch.tensor([30.0, 30, 30, 37, 30, 30, 1])
    alike = loss_of(SETTINGS)(maps, torch.zeros(1, 16, 7))
    assert alike == pytest.approx(0, abs=0.02)
    assert loss_of(SETTINGS)(maps, landmarks) - alike == pytest.approx(SETTINGS.landmarks * 5, rel=1e-4)


def test_the_cut_off_is_that_of_the_paper() -> None:
    margin, local = SYSTEM.tasks(SETTINGS)
    assert (margin.cutoff, local.cutoff) == (None, "of_simulation")
    assert float(build(SETTINGS, pretrained=False).cutoff) == -5


def test_a_pair_without_displacement_is_what_it_was_and_is_compared_where_both_show_liver() -> None:
    network = build(SETTINGS, pretrained=False)
    for each in network.unet.field.parameters():
        torch.nn.init.zeros_(each)
    pairs = torch.rand(1, 16, 4, 16, 16)
    pairs[:, 3, :2] = -1
    maps = network(pairs)
    np.testing.assert_allclose(maps[:, 0].detach(), pairs[:, :, 1], atol=1e-5)
    assert (maps[:, 3:] == 0).all()
    np.testing.assert_allclose(maps[:, 2, 4:].detach(), 1 - pairs[:, 4:, 2:].amax(dim=2), atol=1e-5)
    assert (maps[:, 2, 3] == 0).all()


def test_the_error_is_measured_in_patients_of_tuning_alone(monkeypatch) -> None:
    class Material:
        def __init__(self, patients):
            self.patients = patients

        def select(self, *, patient_ids):
            return Material(patient_ids)

        def __len__(self):
            return len(self.patients)

        def landmarks(self, indices):
            marks = np.zeros((len(indices), 16, 7), np.float32)
            marks[:, 0] = [20, 20, 20, 20, 20, 21, 1]  # 1 mm off
            marks[:, 1, 6] = [self.patients[index] == "c" for index in indices]  # one more, not off
            return marks

    monkeypatch.setattr(an_2020, "fit_stage", lambda *_, **__: SimpleNamespace(epochs=[1]))
    monkeypatch.setattr(
        an_2020, "fields_of", lambda network, own, batch: [np.zeros((1, 3, 16, 16, 16), np.float32)] * len(own)
    )
    network = build(SETTINGS, pretrained=False)
    split = SimpleNamespace(train=["a", "b"], validation=["c"])
    an_2020.train(SimpleNamespace(material=Material([]), split=split, network=network, settings=SETTINGS))
    assert float(network.error_mm) == pytest.approx(np.sqrt(1 / 2))  # with the patients of training, sqrt(3 / 4)
    split.validation = []
    an_2020.train(SimpleNamespace(material=Material([]), split=split, network=network, settings=SETTINGS))
    assert np.isnan(float(network.error_mm))

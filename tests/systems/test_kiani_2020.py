"""Kiani 2020: size of the network, the weights of its loss by hand, and the share of HCC it is weighed by."""

import pandas as pd
import pytest
import torch

from hepatica.systems import kiani_2020
from hepatica.systems.kiani_2020 import SYSTEM, train, weighted


def test_parameters_and_shape() -> None:
    """DenseNet-121 has 7,978,856 (torchvision), 1,025 of them a class."""
    with torch.device("meta"):
        network = SYSTEM.build(SYSTEM.settings, pretrained=False)
        assert network(torch.zeros(2, 3, 512, 512)).logits.shape == (2, 2)
    assert sum(each.numel() for each in network.parameters()) == 7_978_856 - 998 * 1025


def test_each_class_weighs_as_much_as_the_share_of_the_other() -> None:
    """By hand: log-odds 0 and 0, log 3 and 0; a quarter HCC, so that HCC weighs 3/4 and cholangiocarcinoma 1/4."""
    logits = torch.tensor([[0.0, 0.0], [0.0, 3.0]]).exp().log()
    logits[1, 1] = torch.log(torch.tensor(3.0))
    found = weighted(0.25)(logits, torch.tensor([0, 1]))
    assert found.item() == pytest.approx(
        0.25 * 0.693147 + 0.75 * 0.287682, abs=1e-6
    )  # log 2 and log 4/3; weights sum to 1


def test_the_share_is_that_of_training_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    class Training:
        """Two training patients, of three tiles and of one; a third to tune by."""

        task = split = material = cohort = None

    training = Training()
    training.split = type("Split", (), {"train": ("a", "b")})
    index = pd.DataFrame({"patient_id": ["a", "a", "a", "b"]})
    training.material = type("Material", (), {"select": lambda self, patient_ids: type("M", (), {"index": index})})()
    monkeypatch.setattr(kiani_2020, "outcomes", lambda cohort, task: pd.DataFrame({"hcc": {"a": 1, "b": 0, "c": 1}}))
    seen = {}
    monkeypatch.setattr(kiani_2020, "train_plainly", lambda training, loss: seen.setdefault("loss", {}))
    assert train(training) == {"share of HCC among tiles": 0.75}

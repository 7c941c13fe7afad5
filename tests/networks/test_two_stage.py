"""Two-stage: both stages travel in one state."""

from torch import nn

from hepatica.networks import TwoStage


def test_state_holds_extractor_and_every_head() -> None:
    network = TwoStage(nn.Linear(3, 2), {"one": nn.Linear(2, 1), "two": nn.Linear(2, 1)})
    assert {name.rpartition(".")[0] for name in network.state_dict()} == {"extractor", "heads.one", "heads.two"}

import torch
from torch import nn

from hepatica.learn.layout import channels_last


def test_kernels_move_and_numbers_stay() -> None:
    network = nn.ModuleList([nn.Conv2d(3, 8, 3), nn.Conv3d(2, 4, 3), nn.Linear(5, 2)])
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    channels_last(network)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert network.state_dict()["0.weight"].is_contiguous(memory_format=torch.channels_last)
    assert network.state_dict()["1.weight"].is_contiguous()

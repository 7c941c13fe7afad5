import numpy as np
import torch
from torch import nn

from hepatica.learn import as_images
from hepatica.learn.images import as_network_input, channels_last


def test_axes_and_range() -> None:
    pixels = np.zeros((2, 4, 5, 3), dtype=np.uint8)
    pixels[1, 2, 3] = (255, 51, 0)
    images = as_images(torch.from_numpy(pixels))
    assert images.shape == (2, 3, 4, 5)
    assert images[1, :, 2, 3].tolist() == torch.tensor([1.0, 0.2, 0.0]).tolist()
    assert images.sum() == torch.tensor(1.2)
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_vectors_stay_vectors_in_single_precision() -> None:
    vectors = torch.tensor([[1.5, -2.0]], dtype=torch.float64)
    assert torch.equal(as_network_input(vectors), vectors.float())


def test_measured_values_keep_their_numbers_and_their_parts_become_channels() -> None:
    spectra = torch.tensor([[[[1.5, -300.0], [2.5, 7.0]]]], dtype=torch.float64)  # one spectrum of two points
    values = as_network_input(spectra)
    assert values.shape == (1, 2, 1, 2)
    assert values.dtype == torch.float32
    assert values[0, 0, 0].tolist() == [1.5, 2.5]
    assert values[0, 1, 0].tolist() == [-300.0, 7.0]


def test_kernels_move_and_numbers_stay() -> None:
    network = nn.ModuleList([nn.Conv2d(3, 8, 3), nn.Conv3d(2, 4, 3), nn.Linear(5, 2)])
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    channels_last(network)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert network.state_dict()["0.weight"].is_contiguous(memory_format=torch.channels_last)
    assert network.state_dict()["1.weight"].is_contiguous()

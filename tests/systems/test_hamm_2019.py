"""Hamm 2019: the network counted by hand, phases read apart first, and the copies of the paper."""

import torch

from hepatica.systems.hamm_2019 import SYSTEM, Lesions, Phases


def test_the_network_is_that_of_the_code() -> None:
    """24 x 24 x 12 halved: 12 x 12 x 6; two valid convolutions of 3 x 3 x 2: 8 x 8 x 4; pooled in plane: 4 x 4 x 4."""
    with torch.device("meta"):
        network = Lesions(SYSTEM.settings)
        found = network(torch.empty(2, 12, 3, 24, 24))
    phases = 3 * (18 * 64 + 64)
    normalised = 2 * (192 + 128 + 128 + 100)
    convolutions = (192 * 18 * 128 + 128) + (128 * 18 * 128 + 128)
    connected = (4 * 4 * 4 * 128 * 100 + 100) + (100 * 6 + 6)
    counted = phases + normalised + convolutions + connected
    assert sum(each.numel() for each in network.parameters()) == counted == 1_562_186
    assert found.logits.shape == (2, 6)
    assert found.signature.shape == (2, 100)


def test_each_phase_is_read_by_itself_first() -> None:
    torch.manual_seed(0)
    read, crops = Phases(3, 4), torch.rand(1, 3, 6, 8, 8)
    before = read(crops)
    assert before.shape == (1, 12, 6, 8, 8)
    crops[:, 1] += 1
    changed = (read(crops) - before).abs().amax(dim=(0, 2, 3, 4)) > 1e-6
    assert changed.tolist() == [False] * 4 + [True] * 4 + [False] * 4


def test_even_kernels_pad_behind_as_keras_does() -> None:
    """A kernel that takes the voxel itself and the next one along z: the last one has a 0 behind it."""
    read = Phases(1, 1)
    with torch.no_grad():
        read.own[0].weight.zero_()
        read.own[0].bias.zero_()
        read.own[0].weight[0, 0, :, 1, 1] = torch.tensor([1.0, 10.0])
    line = torch.arange(1.0, 4.0).reshape(1, 1, 3, 1, 1)
    assert read(line).flatten().tolist() == [21.0, 32.0, 3.0]


def test_an_epoch_has_the_copies_of_the_paper() -> None:
    assert 434 * SYSTEM.settings.copies == 43_400

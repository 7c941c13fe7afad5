"""Phan 2020: the size of the network, counted by hand, and that nothing of the future enters."""

import torch

from hepatica.clinical.claims import listed_codes
from hepatica.systems.phan_2020 import SYSTEM, Settings, build


def test_the_matrix_is_108_by_998() -> None:
    assert (Settings().months, len(listed_codes(Settings().codes))) == (108, 998)
    assert "155" not in listed_codes(Settings().codes)  # liver cancer itself


def test_size_and_shape() -> None:
    with torch.device("meta"):
        network = build(Settings(), pretrained=False)
    # Convolutions 9 x 16 + 16, 9 x 16 x 32 + 32, 9 x 32 x 64 + 64; sides 108 -> 54 -> 27 -> 14, 998 -> 499 -> 250 ->
    # 125; 64 x 14 x 125 = 112,000 to 64, 64 to 1.
    convolutions, dense = 160 + 4_640 + 18_496, 112_000 * 64 + 64 + 65
    assert sum(each.numel() for each in network.parameters()) == convolutions + dense == 7_191_425
    read = network(torch.zeros(2, 108, 998, device="meta"))
    assert (read.logits.shape, read.signature.shape) == ((2, 1), (2, 64))


def test_the_trial_has_another_list_of_codes_and_the_same_months() -> None:
    quick = SYSTEM.quick
    read = build(quick, pretrained=False)(torch.zeros(3, quick.months, len(listed_codes(quick.codes))))
    assert read.logits.shape == (3, 1)
    assert SYSTEM.targets(quick)[0].key == "incidence_36"

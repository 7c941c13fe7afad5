"""Displacement: parameters and shapes by hand, and each term of what it is trained by on a field that is known."""

import pytest
import torch

from hepatica.networks.displacement import DisplacementUNet, folded_share, misplaced, roughness, unlike, warp

SPACING = torch.tensor([2.0, 1.0, 1.0])


def test_parameters_and_shape_are_those_counted_by_hand() -> None:
    network = DisplacementUNet(spacing=SPACING.tolist(), width=4)
    # Down 2-4, 4-8, 8-8, 8-8; up twice 16-8; last 12-4; field 4-3; each 27 weights a pair of channels, and biases.
    pairs = 2 * 4 + 4 * 8 + 8 * 8 + 8 * 8 + 2 * 16 * 8 + 12 * 4 + 4 * 3
    biases = 4 + 8 + 8 + 8 + 2 * 8 + 4 + 3
    assert sum(each.numel() for each in network.parameters()) == 27 * pairs + biases
    assert network(torch.zeros(2, 2, 16, 32, 16)).shape == (2, 3, 16, 32, 16)


def test_a_field_of_a_voxel_reads_the_next_one() -> None:
    volumes = torch.arange(4 * 5 * 6.0).reshape(1, 1, 4, 5, 6)
    field = torch.zeros(1, 3, 4, 5, 6)
    field[:, 0] = 2.0  # mm: one voxel along z
    moved = warp(volumes, field, spacing=SPACING)
    torch.testing.assert_close(moved[:, :, :3], volumes[:, :, 1:])
    assert (moved[:, :, 3] == 0).all()


def test_a_volume_is_like_itself_in_other_contrast_and_unlike_noise() -> None:
    torch.manual_seed(0)
    one, other = torch.rand(2, 1, 1, 12, 12, 12)
    where = torch.ones_like(one)
    assert unlike(one, 0.3 - 2 * one, where=where) < 0.02
    assert unlike(one, other, where=where) > 0.9
    where[..., :6] = 0  # noise that is not looked at
    half = torch.where(where > 0, one, other)
    assert unlike(one, half, where=torch.nn.functional.pad(where[..., 8:], (8, 0))) < 0.02


def test_roughness_is_the_mean_square_slope() -> None:
    field = torch.zeros(1, 3, 4, 5, 6)
    assert roughness(field + 3, spacing=SPACING) == 0
    field[:, 0] = 0.5 * 2.0 * torch.arange(4.0)[:, None, None]  # 0.5 mm a mm along z, in one of three components
    assert roughness(field, spacing=SPACING) == pytest.approx(0.25 / 3 / 3)


def test_landmarks_are_led_by_the_field() -> None:
    field = torch.zeros(1, 3, 4, 5, 6)
    field[:, 2] = 1.5
    landmarks = torch.tensor([[[2.0, 1.0, 2.0, 2.0, 1.0, 3.5], [2.0, 1.0, 2.0, 2.0, 4.0, 7.5]]])
    torch.testing.assert_close(misplaced(field, landmarks, spacing=SPACING), torch.tensor([[1e-3, 5.0]]))


def test_space_turned_inside_out_is_counted() -> None:
    field = torch.zeros(2, 3, 4, 4, 8)
    field[1, 2] = -1.5 * torch.arange(8.0)  # x runs back faster than it goes on
    assert folded_share(field, spacing=SPACING).tolist() == [0.0, 1.0]

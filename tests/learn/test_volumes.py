"""Volumes: each view is another one, turns, shifts and flips are those asked for, and phases move apart."""

import pytest
import torch

from hepatica.cohort.errors import SettingsError
from hepatica.learn.volumes import brightened, moved


def block(*, z=8, side=16, channels=2, count=1):
    """(b z c y x): a bright block in the middle of a grey body."""
    crops = torch.full((count, z, channels, side, side), 0.2)
    crops[:, z // 2 - 1 : z // 2 + 1, :, side // 2 - 2 : side // 2 + 2, side // 2 - 2 : side // 2 + 2] = 1.0
    return crops


def centre(crops):
    """(b c 3): the mean place (z y x) of what is bright, in voxels from the middle."""
    weight = (crops - 0.2).clamp(min=0).permute(0, 2, 1, 3, 4)
    total = weight.sum(dim=(2, 3, 4))
    axes = [torch.arange(n) - (n - 1) / 2 for n in weight.shape[2:]]
    places = [
        (weight * axis.reshape([-1 if k == d else 1 for k in range(3)])).sum(dim=(2, 3, 4)) / total
        for d, axis in enumerate(axes)
    ]
    return torch.stack(places, dim=-1)


def test_nothing_asked_for_changes_nothing():
    crops = torch.rand(3, 5, 2, 8, 8)
    torch.testing.assert_close(moved()(crops), crops)
    torch.testing.assert_close(moved()(crops[:, 0]), crops[:, 0])
    torch.testing.assert_close(brightened()(crops), crops)


def test_phases_are_shifted_together_within_their_limits():
    torch.manual_seed(0)
    found = centre(moved(shift=(1.0, 2.0, 3.0))(block(count=200)))
    assert (found.abs() <= torch.tensor([1.05, 2.05, 3.05])).all()
    assert (found.abs().amax(dim=(0, 1)) > torch.tensor([0.9, 1.8, 2.7])).all()
    torch.testing.assert_close(found[:, 0], found[:, 1], atol=1e-3, rtol=0)


def test_phases_are_shifted_apart():
    torch.manual_seed(0)
    found = centre(moved(apart=(0.0, 2.0, 2.0))(block(count=100)))
    assert ((found[:, 0] - found[:, 1]).abs().amax(dim=0)[1:] > 2.5).all()
    assert (found[..., 0].abs() < 1e-3).all()


def test_a_turn_of_a_round_thing_leaves_it_and_half_a_turn_mirrors_both_axes():
    y, x = torch.meshgrid(torch.arange(33) - 16.0, torch.arange(33) - 16.0, indexing="ij")
    round_ = torch.exp(-(y**2 + x**2) / 40)[None, None]
    torch.testing.assert_close(moved(degrees=180.0)(round_), round_, atol=0.02, rtol=0)
    uneven = torch.rand(1, 3, 16, 16)
    torch.manual_seed(1)
    turned = moved(degrees=180.0)(uneven)
    assert not torch.allclose(turned, uneven)


def test_flips_mirror_each_axis():
    torch.manual_seed(0)
    crops = torch.rand(1, 4, 1, 5, 6).expand(64, -1, -1, -1, -1)
    seen = {tuple(each.flatten().tolist()) for each in moved(flip=True)(crops).round(decimals=4)}
    assert len(seen) == 8


def test_zoom_changes_the_size_within_its_limits():
    torch.manual_seed(0)
    found = moved(zoom=1.0)(block(z=1, side=32, channels=1, count=100))
    bright = (found > 0.6).float().sum(dim=(1, 2, 3, 4))
    assert bright.max() <= 16 * 4.5
    assert bright.max() > 16 * 2
    assert bright.min() < 16 / 2


def test_phases_are_brightened_by_themselves():
    torch.manual_seed(0)
    crops = torch.full((50, 4, 2, 6, 6), 0.7)
    found = brightened(gain=0.05, offset=0.05)(crops)
    assert found.std(dim=(1, 3, 4)).max() < 1e-6
    level = found[:, 0, :, 0, 0]
    assert level.std() == pytest.approx((0.05**2 + (0.2 * 0.05) ** 2) ** 0.5, rel=0.3)
    assert (level[:, 0] - level[:, 1]).abs().min() > 0


def test_negative_numbers_are_refused():
    with pytest.raises(SettingsError, match="0 or more"):
        moved(zoom=-1.0)

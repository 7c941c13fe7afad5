import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from hepatica.cohort.errors import SettingsError
from hepatica.learn import Warp, crop, perspective, rotation, warp
from hepatica.learn.warps import CORNERS, _homographies

WARPS: dict[str, Warp] = {
    "crop": crop(area=(0.3, 0.9)),
    "rotation": rotation(degrees=30),
    "perspective": perspective(distortion=0.5, p=0.8),
}
every_warp = pytest.mark.parametrize("one", WARPS.values(), ids=WARPS)


def images(seed: int, *, count: int = 3, height: int = 8, width: int = 8) -> Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(seed))


@every_warp
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 1000), count=st.integers(1, 5), height=st.integers(1, 9), width=st.integers(1, 9))
def test_shape_type_and_range_stay(one: Warp, seed: int, count: int, height: int, width: int) -> None:
    before = images(seed, count=count, height=height, width=width)
    kept = before.clone()
    after = warp(one, rotation(degrees=180))(before)
    assert after.shape == before.shape
    assert after.dtype == before.dtype
    assert ((after >= 0) & (after <= 1)).all()
    assert torch.equal(before, kept), "the input was written into"


@every_warp
def test_draws_differ_between_images_and_follow_torchs_seed(one: Warp) -> None:
    def draw(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return warp(one)(images(0, count=1).expand(16, -1, -1, -1))

    assert len(torch.unique(draw(1), dim=0)) >= 8
    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))


@pytest.mark.parametrize(
    "none",
    [
        crop(area=(1, 1), aspect=(1, 1)),
        rotation(degrees=0),
        perspective(distortion=0.5, p=0),
        perspective(distortion=0),
    ],
)
def test_no_chance_is_no_change(none: Warp) -> None:
    assert torch.allclose(warp(none)(images(0, width=5)), images(0, width=5), atol=1e-5)


def test_a_crop_shows_its_rectangle_enlarged() -> None:
    # A ramp from left to right stays a ramp: its rise over the image is the share of the width that is shown.
    torch.manual_seed(0)
    ramp = ((torch.arange(64) + 0.5) / 64).expand(40, 1, 64, 64)
    shown = warp(crop(area=(0.25, 0.25), aspect=(1, 1)))(ramp)
    rise = (shown[..., -2] - shown[..., 1]) * 64 / 61
    assert torch.allclose(rise, torch.full_like(rise, 0.5), atol=0.01)
    starts = shown[:, 0, 32, 1]
    assert starts.min() < 0.1
    assert starts.max() > 0.4


def test_half_a_turn_of_a_rectangle_is_both_flips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tensor, "uniform_", lambda self, *_: self.fill_(1))
    before = images(0, height=6, width=9)
    assert torch.allclose(warp(rotation(degrees=180))(before), torch.rot90(before, 2, (2, 3)), atol=1e-5)


def test_rotation_keeps_circles_in_images_that_are_not_square() -> None:
    torch.manual_seed(0)
    y, x = torch.meshgrid(torch.arange(40) - 19.5, torch.arange(80) - 39.5, indexing="ij")
    disc = (14 - (x**2 + y**2).sqrt()).clamp(0, 1).expand(8, 1, 40, 80)
    assert (warp(rotation(degrees=90))(disc) - disc).abs().max() < 0.5  # the rim, where one pixel goes from 0 to 1
    assert (warp(rotation(degrees=90))(disc) - disc).abs().mean() < 0.01


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_a_perspective_takes_the_moved_corners_to_the_corners(seed: int) -> None:
    torch.manual_seed(seed)
    old = torch.tensor(CORNERS).expand(2, 4, 2)
    new = old * (1 - 0.6 * torch.rand(2, 4, 2))
    one = torch.ones(2, 4, 1)
    seen = torch.cat([new, one], dim=2) @ _homographies(new, old).mT
    assert torch.allclose(seen[..., :2] / seen[..., 2:], old, atol=1e-4)
    assert (seen[..., 2] > 0).all(), "a corner is seen from behind"


def test_several_warps_are_done_one_after_the_other() -> None:
    smooth = torch.sin(torch.linspace(0, 3, 64)).expand(4, 1, 64, 64) * torch.linspace(0.2, 1, 64)[:, None]
    torch.manual_seed(0)
    joined = warp(crop(area=(0.4, 0.4)), rotation(degrees=20))(smooth)
    torch.manual_seed(0)
    apart = warp(rotation(degrees=20))(warp(crop(area=(0.4, 0.4)))(smooth))
    middle = (slice(None), slice(None), slice(20, 44), slice(20, 44))
    assert torch.allclose(joined[middle], apart[middle], atol=0.01)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: crop(area=(0.0, 1.0)),
        lambda: crop(aspect=(2.0, 1.0)),
        lambda: rotation(degrees=-1),
        lambda: perspective(distortion=0.7),
        lambda: perspective(distortion=0.1, p=2),
    ],
)
def test_impossible_strengths_are_refused(wrong) -> None:
    with pytest.raises(SettingsError):
        wrong()

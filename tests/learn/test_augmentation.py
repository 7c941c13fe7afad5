import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from hepatica.cohort.errors import SettingsError
from hepatica.learn import Augment, compose, erase, flips, jitter, mirror, noise, quarter_turns
from hepatica.learn.augmentation import stains

STEPS: dict[str, Augment] = {
    "flips": flips(),
    "quarter_turns": quarter_turns(),
    "noise": noise(sd=0.3),
    "jitter": jitter(brightness=0.4, contrast=0.4),
    "erase": erase(p=0.7),
    "compose": compose(flips(), quarter_turns(), noise(sd=0.1), erase(p=0.5)),
}
every_step = pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)


def images(seed: int, *, count: int = 3, side: int = 8) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed))


@every_step
@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000), count=st.integers(0, 5), side=st.integers(1, 9))
def test_shape_type_and_range_stay(step: Augment, seed: int, count: int, side: int) -> None:
    before = images(seed, count=count, side=side)
    kept = before.clone()
    after = step(before)
    assert after.shape == before.shape
    assert after.dtype == before.dtype
    assert ((after >= 0) & (after <= 1)).all()
    assert torch.equal(before, kept), "the input was written into"


@every_step
def test_equal_images_get_different_draws(step: Augment) -> None:
    torch.manual_seed(0)
    after = step(images(0, count=1).expand(64, -1, -1, -1))
    assert len(torch.unique(after, dim=0)) >= 4


@every_step
def test_the_draws_follow_torchs_seed(step: Augment) -> None:
    def draw(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return step(images(0, count=32))

    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))


@pytest.mark.parametrize(
    "step", [flips(p=0), noise(sd=0), erase(p=0), compose()], ids=["flips", "noise", "erase", "compose"]
)
def test_no_chance_is_no_change(step: Augment) -> None:
    assert torch.equal(step(images(0)), images(0))


def test_flips_with_certainty_are_half_a_turn_and_undo_themselves() -> None:
    step = flips(p=1)
    assert torch.equal(step(images(0)), torch.rot90(images(0), 2, (2, 3)))
    assert torch.equal(step(step(images(0))), images(0))


def test_quarter_turns_are_torchs_four_rotations_and_each_as_likely() -> None:
    torch.manual_seed(0)
    one = images(0, count=1)
    turned = quarter_turns()(one.expand(400, -1, -1, -1))
    counts = [int((turned == torch.rot90(one, k, (2, 3))).all(dim=(1, 2, 3)).sum()) for k in range(4)]
    assert sum(counts) == 400
    # Binomial(400, 1/4) has a standard deviation of 8.7; four of them.
    assert all(abs(count - 100) < 35 for count in counts)


def test_turning_a_rectangle_is_refused() -> None:
    with pytest.raises(SettingsError, match="4 x 6"):
        quarter_turns()(torch.zeros(1, 3, 4, 6))


def test_noise_has_the_spread_asked_for() -> None:
    torch.manual_seed(0)
    after = noise(sd=0.05)(torch.full((4, 3, 64, 64), 0.5))
    # 49,152 draws: the standard error of the spread is 0.05 / sqrt(2 n) = 0.00016.
    assert after.std().item() == pytest.approx(0.05, abs=0.001)
    assert after.mean().item() == pytest.approx(0.5, abs=0.001)


def test_erasing_covers_one_rectangle_of_the_area_asked_with_the_mean_colour() -> None:
    torch.manual_seed(0)
    before = images(0, count=50, side=64)
    after = erase(p=1, area=(0.1, 0.1))(before)
    changed = (after != before).any(dim=1)
    shares = changed.float().mean(dim=(1, 2))
    assert shares.tolist() == pytest.approx([0.1] * 50, abs=0.01)
    for mask, old, new in zip(changed, before, after, strict=True):
        rows, columns = mask.any(dim=1).sum(), mask.any(dim=0).sum()
        assert mask.sum() == rows * columns, "not a rectangle"
        assert torch.allclose(new[:, mask], old.mean(dim=(1, 2))[:, None])


def test_steps_are_applied_in_their_order() -> None:
    double, add = (lambda x: 2 * x), (lambda x: x + 1)
    assert compose(double, add)(torch.tensor(3.0)) == 7


@pytest.mark.parametrize("wrong", [-0.1, 1.1])
def test_impossible_chances_are_refused(wrong: float) -> None:
    for step in (flips, erase):
        with pytest.raises(SettingsError, match="probability"):
            step(p=wrong)


def test_impossible_areas_and_spreads_are_refused() -> None:
    with pytest.raises(SettingsError, match="area"):
        erase(p=0.5, area=(0.3, 0.2))
    with pytest.raises(SettingsError, match="standard deviation"):
        noise(sd=-1)


def test_a_mirror_with_certainty_flips_left_to_right() -> None:
    assert torch.equal(mirror(p=1)(images(0)), images(0).flip(-1))


def test_jitter_changes_brightness_of_all_channels_alike() -> None:
    torch.manual_seed(0)
    after = jitter(brightness=0.5)(torch.full((500, 3, 2, 2), 0.5))
    assert (after == after[:, :1, :1, :1]).all()
    assert (after.min().item(), after.max().item()) == pytest.approx((0.25, 0.75), abs=0.01)


def test_jitter_of_contrast_keeps_the_mean() -> None:
    torch.manual_seed(0)
    before = 0.4 + 0.2 * images(0, count=50)
    after = jitter(contrast=0.5)(before)
    assert torch.allclose(after.mean(dim=(1, 2, 3)), before.mean(dim=(1, 2, 3)), atol=1e-6)
    spread = after.std(dim=(1, 2, 3)) / before.std(dim=(1, 2, 3))
    assert spread.min() > 0.5
    assert spread.max() < 1.5
    assert spread.max() - spread.min() > 0.5


def test_impossible_jitter_is_refused() -> None:
    with pytest.raises(SettingsError, match="contrast"):
        jitter(contrast=2)


def test_stains_leave_further_channels_as_they_are() -> None:
    images = torch.rand(2, 4, 3, 3)
    torch.manual_seed(1)
    found = stains(torch.eye(3), strength=0.5)(images)
    torch.manual_seed(1)
    torch.testing.assert_close(found[:, :3], stains(torch.eye(3), strength=0.5)(images[:, :3]))
    torch.testing.assert_close(found[:, 3:], images[:, 3:], rtol=0, atol=0)


def test_stains_change_by_their_amounts_and_glass_stays() -> None:
    """By hand: 2 units of the first stain and none of the second become 1 to 3 units of the first."""
    matrix = torch.tensor([[0.5, 0.8, 0.3], [0.1, 0.9, 0.4]])
    stained = (-2 * matrix[0]).exp().reshape(1, 3, 1, 1).expand(50, 3, 4, 4)
    torch.manual_seed(0)
    changed = stains(matrix, strength=0.5)(stained)
    amounts = torch.linalg.lstsq(matrix.T, -changed[:, :, 0, 0].log().T).solution
    assert torch.allclose(amounts[1], torch.zeros(50), atol=1e-4)
    assert 1 <= amounts[0].min() < 1.1
    assert 2.9 < amounts[0].max() <= 3
    assert torch.allclose(stains(matrix, strength=0.5)(torch.ones(2, 3, 4, 4)), torch.ones(2, 3, 4, 4))
    with pytest.raises(SettingsError, match="strength"):
        stains(matrix, strength=1.5)

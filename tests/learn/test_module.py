import math
from itertools import chain
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from hepatica.cohort.errors import RunError
from hepatica.learn import Arrays, Plan, Samples
from hepatica.learn.losses import smoothed_cross_entropy
from hepatica.learn.module import Learner, Loaders, mixup, optimizer

PLAN = Plan(epochs=30, batch=2, learning_rate=1e-4, betas=(0.9, 0.99), lr_step_epochs=10, lr_step_factor=0.1)


class Both(NamedTuple):
    logits: Tensor
    signature: Tensor


class TwoOutputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Both:
        return Both(self.linear(x), x)


def test_an_untaught_networks_loss_is_the_logarithm_of_the_number_of_classes() -> None:
    network = nn.Linear(3, 4)
    nn.init.zeros_(network.weight)
    nn.init.zeros_(network.bias)
    module = Learner(network, plan=PLAN)
    assert module.training_step((torch.ones(5, 3), torch.arange(5) % 4), 0).item() == pytest.approx(math.log(4))


def test_the_first_of_several_outputs_is_the_logits() -> None:
    network = TwoOutputs()
    batch = (torch.ones(5, 3), torch.zeros(5, dtype=torch.int64))
    both = Learner(network, plan=PLAN).training_step(batch, 0)
    one = Learner(network.linear, plan=PLAN).training_step(batch, 0)
    assert torch.equal(both, one)


def test_targets_have_a_loss_and_no_accuracy() -> None:
    network = nn.Linear(3, 2)
    nn.init.zeros_(network.weight)
    nn.init.zeros_(network.bias)
    module = Learner(network, plan=PLAN, loss=nn.functional.mse_loss)
    module.validation_step((torch.ones(5, 3), torch.full((5, 2), 2.0)), 0)
    assert {name: sums.tolist() for name, sums in module.sums.items()} == {"validation_loss": [20.0, 5.0]}


class OneOf(SimpleNamespace):
    """A trainer's devices, of which this is one; the others have the same."""

    def reduce(self, tensor: Tensor, *, reduce_op: str) -> Tensor:
        assert reduce_op == "sum"
        return tensor * self.world


def test_means_are_over_the_samples_of_all_devices_and_begin_anew() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.ones_(network.weight)
    module = Learner(network, plan=PLAN, loss=nn.functional.mse_loss)
    module.trainer = SimpleNamespace(strategy=OneOf(world=2))  # type: ignore[assignment]
    for step, own in enumerate([[1.0, 2.0, 3.0], [6.0]]):
        module.training_step((torch.zeros(len(own), 1), torch.tensor(own)[:, None]), step)
    assert module.steps == 2
    assert module.end_epoch() == {"train_loss": (1 + 4 + 9 + 36) / 4}
    assert (module.steps, module.sums) == (0, {})


def test_each_step_of_each_epoch_and_device_has_chance_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    module = Learner(nn.Linear(1, 1), plan=PLAN)

    def drawn(epoch: int, rank: int, step: int) -> float:
        monkeypatch.setattr(Learner, "current_epoch", epoch)
        monkeypatch.setattr(Learner, "global_rank", rank)
        module.on_train_batch_start(None, step)
        return torch.rand(()).item()

    places = [(0, 0, 0), (0, 0, 1), (0, 0, 2), (1, 0, 1), (0, 1, 1)]
    draws = [drawn(*place) for place in places]
    assert len(set(draws)) == len(places)
    assert [drawn(*place) for place in reversed(places)] == draws[::-1]


@pytest.mark.parametrize(
    ("world", "wanted"), [(2, [[3.0, 2.0], [5.0, 2.0]]), (1, [[8.0, 4.0]]), (3, [[8.0, 4.0], [0.0, 0.0], [0.0, 0.0]])]
)
def test_each_device_goes_on_with_its_sums_and_of_others_the_first_has_all(
    world: int, wanted: list[list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    sums = {"train_loss": torch.tensor([[3.0, 2.0], [5.0, 2.0]])}
    saved = {"epoch_at_hand": {"steps": 7, "sums": sums, "shape": [8, 9]}}
    found = []
    for rank in range(world):
        module = Learner(nn.Linear(1, 1), plan=PLAN)
        monkeypatch.setattr(Learner, "global_rank", rank)
        module.trainer = SimpleNamespace(world_size=world)  # type: ignore[assignment]
        module.on_load_checkpoint(saved)
        assert module.steps == 7
        found.append(module.sums["train_loss"].tolist())
    assert found == wanted


def test_training_is_augmented_and_validation_is_not() -> None:
    seen: list[Tensor] = []

    def spoil(images: Tensor) -> Tensor:
        seen.append(images)
        return images * 0

    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    module = Learner(network, plan=PLAN, augment=spoil)
    batch = (torch.full((3, 2, 2, 3), 255, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64))
    module.validation_step(batch, 0)
    assert not seen
    module.training_step(batch, 0)
    assert torch.equal(seen[0], torch.ones(3, 3, 2, 2))


def test_adam_as_planned_its_rate_falling_in_steps() -> None:
    (adam,), (steps,) = Learner(nn.Linear(1, 1), plan=PLAN).configure_optimizers()
    assert adam.defaults["betas"] == (0.9, 0.99)
    rates = []
    for _ in range(30):
        rates.append(steps.get_last_lr()[0])
        adam.step()
        steps.step()
    assert rates == pytest.approx([1e-4] * 10 + [1e-5] * 10 + [1e-6] * 10)


def test_frozen_layers_are_left_out() -> None:
    network = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    network[0].requires_grad_(False)
    (adam,), _ = Learner(network, plan=PLAN).configure_optimizers()
    assert len(adam.param_groups[0]["params"]) == 2


def test_mixup_blends_training_and_not_validation() -> None:
    seen: list[Tensor] = []

    class Seeing(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x)
            return super().forward(x)

    torch.manual_seed(0)
    module = Learner(Seeing(4, 4), plan=Plan(epochs=1, batch=4, learning_rate=1.0, mixup=1.0))
    batch = (torch.eye(4), torch.arange(4))
    module.training_step(batch, 0)
    module.validation_step(batch, 0)
    assert not torch.equal(seen[0], batch[0])
    assert torch.equal(seen[1], batch[0])


def test_the_rate_warms_up_and_falls_along_a_cosine() -> None:
    plan = Plan(
        epochs=4,
        batch=128,
        learning_rate=0.2,
        learning_rate_batch=256,
        optimizer="sgd",
        schedule="cosine",
        warmup_epochs=1,
    )
    (descent,), (share,) = Learner(nn.Linear(1, 1), plan=plan).configure_optimizers()
    rates = []
    for _ in range(4):
        rates.append(share.get_last_lr()[0])
        descent.step()
        share.step()
    assert rates == pytest.approx([0.05, 0.1, 0.075, 0.025])


def test_inputs_and_labels_are_blended_in_the_same_shares() -> None:
    # Inputs are their own one-hot labels, so that a blend says which labels it has, in which shares.
    torch.manual_seed(0)
    labels = torch.arange(6) % 3
    blends, blended = mixup(torch.eye(3)[labels], alpha=1.0)
    logits = torch.randn(6, 3)
    assert blended(cross_entropy, logits, labels).item() == pytest.approx(
        cross_entropy(logits, blends).item(), abs=1e-6
    )
    assert torch.allclose(blends.sum(dim=1), torch.ones(6))
    assert ((blends > 0) & (blends < 1)).any()


def test_images_keep_their_range_and_mean_and_are_not_written_into() -> None:
    torch.manual_seed(1)
    images = torch.rand(5, 3, 4, 4)
    kept = images.clone()
    blends, _ = mixup(images, alpha=0.2)
    assert torch.equal(images, kept)
    assert ((blends >= 0) & (blends <= 1)).all()
    assert torch.allclose(blends.mean(dim=0), images.mean(dim=0), atol=1e-6)


def test_ratios_are_those_of_beta_and_follow_torchs_seed() -> None:
    def ratio(seed: int) -> float:
        torch.manual_seed(seed)
        return float(mixup(torch.ones(1, 1), alpha=0.2)[0])

    assert ratio(3) == ratio(3) == pytest.approx(1)  # a lone sample is blended with itself
    torch.manual_seed(0)
    pair = torch.tensor([[0.0], [1.0]])
    drawn = torch.stack([mixup(pair, alpha=0.2)[0][0, 0] for _ in range(2000)])
    # Beta(0.2, 0.2) has mean 1/2 and variance 1 / (4 * 1.4) = 0.1786; a half of the orders blend nothing: 0 here.
    # Mean: 1/2 * 0 + 1/2 * 1/2; four standard errors of at most 0.5 / sqrt(2000) are 0.045.
    assert drawn.mean().item() == pytest.approx(0.25, abs=0.045)


def test_smoothing_goes_with_it() -> None:
    labels = torch.tensor([0, 1])
    _, blended = mixup(torch.eye(2), alpha=0.2)
    assert blended(smoothed_cross_entropy(0.1), torch.zeros(2, 2), labels).item() == pytest.approx(0.6931472)


PAPER = Plan(
    epochs=120, batch=64, learning_rate=0.2, learning_rate_batch=256, optimizer="sgd", weight_decay=1e-4, momentum=0.9
)


def test_kernels_and_matrices_are_held_near_zero_and_nothing_else() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 2))
    groups = optimizer(network, plan=PAPER).param_groups
    decay = {id(each): group["weight_decay"] for group in groups for each in group["params"]}
    found = {name: decay[id(each)] for name, each in network.named_parameters()}
    none = dict.fromkeys(["0.bias", "1.weight", "1.bias", "3.bias"], 0.0)
    assert found == {"0.weight": 1e-4, "3.weight": 1e-4} | none


def test_two_steps_of_gradient_descent_with_momentum_by_hand() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.ones_(network.weight)
    plan = Plan(epochs=1, batch=1, learning_rate=0.1, optimizer="sgd", momentum=0.9, weight_decay=0.5)
    descent = optimizer(network, plan=plan)
    # Step 1: 2 + 0.5 * 1 = 2.5. Step 2: 0.9 * 2.5 + 2 + 0.5 * 0.75 = 4.625.
    for wanted in (1 - 0.25, 0.75 - 0.4625):
        descent.zero_grad()
        (2 * network.weight.sum()).backward()
        descent.step()
        assert network.weight.item() == pytest.approx(wanted)


def test_without_decay_all_weights_are_one_group_of_adams() -> None:
    plan = Plan(epochs=1, batch=1, learning_rate=1e-3)
    adam = optimizer(nn.Linear(2, 2), plan=plan)
    assert isinstance(adam, torch.optim.Adam)
    assert [group["lr"] for group in adam.param_groups] == [1e-3]


def test_the_rate_follows_the_batch() -> None:
    assert optimizer(nn.Linear(1, 1), plan=PAPER).param_groups[0]["lr"] == pytest.approx(0.05)


def steps(
    count: int,
    *,
    world: int,
    network: nn.Module,
    batch: int = 8,
    drop_last: bool = False,
    done: int = 0,
    shape: tuple[int, ...] = (),
) -> list[list[list[int]]]:
    """The numbers of each step of an epoch, by rank; of an epoch of that shape of which so many are done."""
    samples = Samples(inputs=Arrays(values=np.arange(count, dtype=np.float32)[:, None]), labels=np.zeros(count, int))
    loaders = Loaders(samples, None, plan=Plan(epochs=1, batch=batch, learning_rate=0.1, drop_last=drop_last))
    progress, found = SimpleNamespace(current=SimpleNamespace(processed=0)), []
    for rank in range(world):
        loaders.trainer = SimpleNamespace(
            world_size=world,
            global_rank=rank,
            fit_loop=SimpleNamespace(epoch_progress=progress),
            lightning_module=Learner(network, plan=loaders.plan),
        )
        loaders.trainer.lightning_module.steps, loaders.trainer.lightning_module.shape = done, list(shape)
        found.append([inputs[:, 0].int().tolist() for inputs, _ in loaders.train_dataloader()])
    return [list(each) for each in zip(*found, strict=True)]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9, 10, 16, 17, 18, 19, 33, 34])
@pytest.mark.parametrize("world", [2, 4])
def test_several_devices_take_the_steps_of_one_and_each_as_many(count: int, world: int) -> None:
    """Samples that do not come out even are dealt again, within the same step."""
    one, several = (steps(count, world=each, network=nn.Linear(1, 2)) for each in (1, world))
    if count % world == 0:
        assert [sorted(each[0]) for each in one] == [sorted(chain(*each)) for each in several]
    assert len(one) == len(several)
    assert all(len({*map(len, each)}) == 1 for each in several)


@pytest.mark.parametrize(
    ("count", "batch", "world"), [(5, 2, 2), (9, 4, 4), (9, 4, 2), (7, 4, 2), (7, 4, 4), (3, 4, 2)]
)
@pytest.mark.parametrize("drop_last", [False, True])
def test_several_devices_leave_out_what_one_does(count: int, batch: int, world: int, drop_last: bool) -> None:
    given = {"batch": batch, "drop_last": drop_last, "network": nn.Linear(1, 2)}
    one, several = (steps(count, world=each, **given) for each in (1, world))
    assert len(one) == len(several)
    whole = count - count % min(batch, count)
    if (drop_last or count % batch == 1) and whole % world == 0:
        assert [sorted(each[0]) for each in one] == [sorted(chain(*each)) for each in several]
        assert sum(len(each[0]) for each in one) == whole


@pytest.mark.parametrize(("count", "world"), [(9, 1), (17, 2), (18, 2), (35, 4)])
def test_no_device_normalises_a_batch_of_one(count: int, world: int) -> None:
    found = steps(count, world=world, network=nn.BatchNorm1d(1))
    assert found
    assert min(len(each) for step in found for each in step) > 1


def test_an_epoch_is_gone_on_with_by_as_many_devices_or_where_their_steps_are_the_same() -> None:
    network = nn.Linear(1, 2)
    whole = steps(20, world=1, network=network)
    assert steps(20, world=1, network=network, done=1, shape=(8, 3)) == whole[1:]
    two = steps(20, world=2, network=network, done=2, shape=(8, 3))  # begun by one
    assert [sorted(chain(*each)) for each in two] == [sorted(each[0]) for each in whole[2:]]
    with pytest.raises(
        RunError, match=r"got 9 samples a step and 3 steps an epoch, wanted 8 and 3, .* as many processes"
    ):
        steps(20, world=3, network=network, done=1, shape=(8, 3))
    assert steps(20, world=3, network=network, done=0, shape=(8, 3))  # between two epochs

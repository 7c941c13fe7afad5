import logging
import math
import os
import pickletools
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lightning.fabric.utilities.warnings import PossibleUserWarning
from safetensors.torch import load_file
from torch import Tensor, nn

from hepatica.cohort.atomic import _HOST
from hepatica.cohort.errors import RunError, SettingsError, UnavailableError
from hepatica.learn import (
    Arrays,
    History,
    OnDevice,
    Plan,
    Samples,
    compose,
    crop,
    erase,
    flips,
    infer,
    jitter,
    mirror,
    noise,
    perspective,
    quarter_turns,
    rotation,
    smoothed_cross_entropy,
    warp,
)
from hepatica.learn.fit import (
    FINISHED,
    HISTORY,
    IDENTITY,
    UNFINISHED,
    SafeCheckpoints,
    fit,
    load_tree,
    quiet,
    save_tree,
)

PLAN = Plan(epochs=4, batch=8, learning_rate=0.01, lr_step_epochs=2, monitor="validation_loss")
AUGMENT = compose(flips(), quarter_turns(), noise(sd=0.02), erase(p=0.5))


def tiles(count: int = 30) -> Samples:
    """Dark tiles are 1, light ones 0: a network can tell them."""
    chance = np.random.default_rng(0)
    labels = np.arange(count) % 2
    pixels = chance.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    pixels[labels == 1] //= 3
    return Samples(inputs=Arrays(values=pixels), labels=labels)


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3), nn.Linear(8, 2)]
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), *head)


def learn(folder: Path, samples: Samples | None = None, **changes: Any) -> tuple[nn.Module, History]:
    taught = network()
    settings: dict[str, Any] = {"label": "tiles", "validation": tiles(10), "augment": AUGMENT} | changes
    plan = settings.pop("plan", PLAN)
    return taught, fit(taught, samples or tiles(), plan, folder=folder, **settings)


def equal(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@dataclass(frozen=True, kw_only=True)
class Disturbed:
    """Inputs that do something before each read."""

    inputs: Arrays
    before: Callable[[], None]

    def __len__(self) -> int:
        return len(self.inputs)

    def read(self, indices: np.ndarray) -> np.ndarray:
        self.before()
        return self.inputs.read(indices)


class StoppedError(Exception):
    pass


def stopping(moment: int) -> Samples:
    left = iter([False] * moment)

    def before() -> None:
        if next(left, True):
            raise StoppedError

    return replace(tiles(), inputs=Disturbed(inputs=tiles().inputs, before=before))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Sums rounded in another order differ in their last bit; networks this small are faster so, too."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def undisturbed(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, History]:
    return learn(tmp_path_factory.mktemp("fit") / "undisturbed")


# 30 samples in batches of 8: four reads an epoch; from the very first to the very last, at and between epochs' ends.
@pytest.mark.parametrize("moment", [0, 2, 4, 7, 11, 15])
def test_stopped_anywhere_and_started_again_it_ends_the_same_to_the_last_bit(
    tmp_path: Path, undisturbed: tuple[nn.Module, History], moment: int
) -> None:
    with pytest.raises(StoppedError):
        learn(tmp_path, stopping(moment))
    assert (tmp_path / UNFINISHED).exists() == (moment >= 4)
    taught, history = learn(tmp_path)
    assert history == undisturbed[1]
    assert equal(taught, undisturbed[0])


@dataclass(frozen=True, kw_only=True)
class Counted(Arrays):
    """Inputs that note how often they were read."""

    reads: list[int]

    def read(self, indices: np.ndarray) -> np.ndarray:
        self.reads.append(len(indices))
        return super().read(indices)


@pytest.mark.parametrize("moment", [1, 2, 3, 4, 6, 7, 15])
def test_saved_within_an_epoch_it_goes_on_at_that_step(
    tmp_path: Path, undisturbed: tuple[nn.Module, History], monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    monkeypatch.setattr("hepatica.learn.watch.EVERY", 0.0)
    monkeypatch.setattr("hepatica.learn.watch.RARELY", 0)
    with pytest.raises(StoppedError):
        learn(tmp_path, stopping(moment))
    counted = Counted(values=tiles().inputs.values, reads=[])
    taught, history = learn(tmp_path, replace(tiles(), inputs=counted))
    assert len(counted.reads) == 16 - moment
    assert history == undisturbed[1]
    assert equal(taught, undisturbed[0])


def test_asked_to_end_it_saves_the_step_at_hand(tmp_path: Path, undisturbed: tuple[nn.Module, History]) -> None:
    def of_the_command(*_: object) -> None:
        pytest.fail("this handler is not for the time of training")

    left, before = iter([False] * 6 + [True]), signal.signal(signal.SIGTERM, of_the_command)
    asking = Disturbed(inputs=tiles().inputs, before=lambda: next(left) and signal.raise_signal(signal.SIGTERM))
    try:
        with pytest.raises(SystemExit) as ended:
            learn(tmp_path, replace(tiles(), inputs=asking))
        assert signal.getsignal(signal.SIGTERM) is of_the_command
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ended.value.code == 128 + signal.SIGTERM
    counted = Counted(values=tiles().inputs.values, reads=[])
    taught, _ = learn(tmp_path, replace(tiles(), inputs=counted))
    assert len(counted.reads) == 16 - 7
    assert equal(taught, undisturbed[0])


def test_descent_with_warm_up_mixup_and_warps_ends_the_same_too(tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "plan": replace(
            PLAN, optimizer="sgd", weight_decay=1e-4, schedule="cosine", warmup_epochs=1, lr_step_epochs=None, mixup=0.2
        ),
        "augment": compose(
            mirror(), warp(crop(), perspective(distortion=0.3), rotation(degrees=9)), jitter(contrast=0.2)
        ),
        "loss": smoothed_cross_entropy(0.1),
    }
    wanted, history = learn(tmp_path / "undisturbed", **changes)
    with pytest.raises(StoppedError):
        learn(tmp_path / "stopped", stopping(7), **changes)
    taught, again = learn(tmp_path / "stopped", **changes)
    assert again == history
    assert equal(taught, wanted)


def test_workers_that_read_ahead_change_nothing(
    tmp_path: Path, undisturbed: tuple[nn.Module, History], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoppedError):
        learn(tmp_path, stopping(11))
    monkeypatch.setattr("hepatica.learn.samples.workers", lambda _: 1)
    taught, history = learn(tmp_path)
    assert history == undisturbed[1]
    assert equal(taught, undisturbed[0])


def test_a_signal_to_all_processes_is_not_for_those_that_read_ahead(
    tmp_path: Path, undisturbed: tuple[nn.Module, History], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hepatica.learn.samples.workers", lambda _: 1)
    here = os.getpid()
    signalled = Disturbed(
        inputs=tiles().inputs, before=lambda: os.getpid() != here and signal.raise_signal(signal.SIGTERM)
    )
    taught, _ = learn(tmp_path, replace(tiles(), inputs=signalled))
    assert equal(taught, undisturbed[0])


def test_inputs_on_a_device_teach_the_same(tmp_path: Path, undisturbed: tuple[nn.Module, History]) -> None:
    there = replace(tiles(), inputs=OnDevice.copy(tiles().inputs, device="cpu"))
    taught, history = learn(tmp_path, there)
    assert history == undisturbed[1]
    assert equal(taught, undisturbed[0])


def test_killed_with_minus_nine_in_mid_epoch_it_ends_the_same(
    tmp_path: Path, undisturbed: tuple[nn.Module, History]
) -> None:
    process = subprocess.Popen([sys.executable, __file__, str(tmp_path)])
    try:
        saved = wait_for_change(tmp_path / UNFINISHED, since=None)
        wait_for_change(tmp_path / UNFINISHED, since=saved)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert not (tmp_path / FINISHED).exists()
    taught, history = learn(tmp_path)
    assert history == undisturbed[1]
    assert equal(taught, undisturbed[0])


def wait_for_change(file: Path, *, since: int | None) -> int:
    for _ in range(2000):
        if file.exists() and (inode := file.stat().st_ino) != since:
            return inode
        time.sleep(0.03)
    raise AssertionError(f"{file.name} was not written")


def test_a_kill_while_the_checkpoint_is_written_leaves_the_one_before(
    tmp_path: Path, undisturbed: tuple[nn.Module, History], monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(*_: object) -> None:
        (tmp_path / f".{Path(UNFINISHED).stem}.{_HOST}-{2**22 + 1}-1.part.safetensors").write_bytes(b"half")
        raise StoppedError

    with pytest.raises(StoppedError):
        learn(tmp_path, stopping(8))
    with monkeypatch.context() as patch:
        patch.setattr("hepatica.learn.fit.save_tree", half)
        with pytest.raises(StoppedError):
            learn(tmp_path)
    taught, _ = learn(tmp_path)
    assert equal(taught, undisturbed[0])
    assert {file.name for file in tmp_path.iterdir()} == {IDENTITY, FINISHED, HISTORY}


def test_a_kill_between_the_last_epoch_and_the_end_trains_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(PLAN, epochs=9, patience=2)
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["hepatica.learn.fit"], "_finish", lambda *_, **__: sys.exit("killed"))
        with pytest.raises(SystemExit):
            learn(tmp_path, plan=plan, loss=never_better)
    _, history = learn(tmp_path, stopping(0), plan=plan, loss=never_better)
    assert len(history.epochs) == 3


def never_better(logits: Tensor, labels: Tensor) -> Tensor:
    return 0 * logits.sum() + 1


def test_patience_ends_it_and_the_first_of_equals_is_kept(tmp_path: Path) -> None:
    _, history = learn(tmp_path, plan=replace(PLAN, epochs=9, patience=3), loss=never_better)
    assert (len(history.epochs), history.best, history.stopped_early) == (4, 0, True)


def test_the_weights_kept_are_those_of_the_best_epoch(tmp_path: Path) -> None:
    # A learning rate far too high makes the losses jump, so that the best epoch is not the last.
    plan = replace(PLAN, epochs=6, learning_rate=0.3, lr_step_epochs=None)
    taught, history = learn(tmp_path, plan=plan)
    losses = [epoch.validation_loss for epoch in history.epochs]
    assert history.best == int(np.argmin(losses)) < 5
    logits = torch.from_numpy(infer(taught, tiles(10).inputs, batch=4, label="check"))
    loss = nn.functional.cross_entropy(logits, torch.from_numpy(tiles(10).labels))
    assert loss.item() == pytest.approx(losses[history.best], rel=1e-5)


def test_it_learns_what_can_be_learnt(tmp_path: Path) -> None:
    taught, history = learn(tmp_path, plan=replace(PLAN, epochs=15, learning_rate=0.03, monitor="train_loss"))
    predicted = infer(taught, tiles().inputs, batch=8, label="check").argmax(axis=1)
    assert (predicted == tiles().labels).mean() > 0.95
    assert history.epochs[-1].train_loss < history.epochs[0].train_loss


def test_one_seed_gives_one_network_and_another_seed_another(
    tmp_path: Path, undisturbed: tuple[nn.Module, History]
) -> None:
    again, _ = learn(tmp_path / "again")
    other, _ = learn(tmp_path / "other", plan=replace(PLAN, seed=1))
    assert equal(again, undisturbed[0])
    assert not equal(other, undisturbed[0])


def test_a_finished_folder_is_loaded_not_trained(tmp_path: Path) -> None:
    taught, history = learn(tmp_path)
    loaded, told = learn(tmp_path, stopping(0))
    assert equal(loaded, taught)
    assert told == history
    assert not loaded.training


def test_torchs_generator_is_left_alone_trained_or_loaded(tmp_path: Path) -> None:
    for _ in ("trained", "loaded"):
        taught = network()
        before = torch.get_rng_state()
        fit(taught, tiles(), replace(PLAN, monitor="train_loss"), folder=tmp_path, label="tiles")
        assert torch.equal(before, torch.get_rng_state())


def test_a_folder_of_another_fit_is_refused_with_what_differs(tmp_path: Path) -> None:
    learn(tmp_path)
    with pytest.raises(RunError, match=r"epochs: 4 there, 5 here.*remove this one"):
        learn(tmp_path, plan=replace(PLAN, epochs=5))
    with pytest.raises(RunError, match=r"labels: .*samples: 30 there, 28 here"):
        learn(tmp_path, tiles(28))


def test_a_damaged_checkpoint_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        learn(tmp_path, stopping(5))
    (tmp_path / UNFINISHED).write_bytes(b"damaged")
    with pytest.raises(RunError, match=r"damaged.*remove it"):
        learn(tmp_path)


def test_a_loss_that_is_no_number_stops_with_advice(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="tiles: validation_loss became nan in epoch 1; lower learning_rate"):
        learn(tmp_path, loss=lambda logits, labels: logits.sum() * torch.nan)


def test_a_training_that_lightning_cut_short_is_not_finished(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="stopped after epoch 1 of 4; start it again"):
        learn(tmp_path, trainer={"fast_dev_run": 1})
    assert len(learn(tmp_path)[1].epochs) == 4


def test_flags_are_checked(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nonsense"):
        learn(tmp_path, trainer={"nonsense": 1})
    with pytest.raises(SettingsError, match="telepathy"):
        learn(tmp_path, trainer={"strategy": "telepathy"})
    with pytest.raises(SettingsError, match="max_epochs, max_steps, overfit_batches, val_check_interval: set by fit"):
        learn(tmp_path, trainer={"max_epochs": 1, "max_steps": 4, "val_check_interval": 0.5, "overfit_batches": 2})
    with pytest.raises(SettingsError, match="needs validation samples"):
        learn(tmp_path, validation=None)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="leave accelerator and devices out"):
        learn(tmp_path, trainer={"accelerator": "gpu"})


# 9 samples in batches of 4 leave one alone, from which batch normalisation of vectors cannot learn.
@pytest.mark.parametrize(("count", "batch", "drop_last"), [(9, 4, False), (3, 100, True), (2, 2, True)])
def test_small_and_uneven_data_are_learnt_from(tmp_path: Path, count: int, batch: int, drop_last: bool) -> None:
    vectors = Arrays(values=np.random.default_rng(0).normal(size=(count, 4)).astype(np.float32))
    samples = Samples(inputs=vectors, labels=np.arange(count) % 2)
    taught = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    before = taught[0].weight.clone()
    plan = Plan(epochs=1, batch=batch, learning_rate=0.1, drop_last=drop_last)
    fit(taught, samples, plan, folder=tmp_path, label="vectors")
    assert not torch.equal(before, taught[0].weight)


def test_one_sample_in_batches_of_one(tmp_path: Path) -> None:
    samples = Samples(inputs=Arrays(values=np.ones((1, 3), dtype=np.float32)), labels=np.array([1]))
    taught = nn.Linear(3, 2)
    history = fit(taught, samples, Plan(epochs=2, batch=1, learning_rate=0.1), folder=tmp_path, label="one")
    assert history.epochs[1].train_loss < history.epochs[0].train_loss


def test_it_writes_nowhere_else_and_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    learn(tmp_path / "fit")
    assert [file.name for file in tmp_path.iterdir()] == ["fit"]
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("lightning.pytorch").level == logging.INFO


def test_no_file_is_a_pickle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pickle.dump", lambda *_, **__: pytest.fail("pickle.dump"))
    monkeypatch.setattr(torch, "save", lambda *_, **__: pytest.fail("torch.save"))
    with pytest.raises(StoppedError):
        learn(tmp_path, stopping(5))
    learn(tmp_path)


if __name__ == "__main__":  # the training that is killed: as slow as it must be to be hit in mid-epoch
    torch.set_num_threads(1)
    slow = Disturbed(inputs=tiles().inputs, before=lambda: time.sleep(0.2))
    learn(Path(sys.argv[1]), replace(tiles(), inputs=slow))


def test_notes_and_advice_are_silent_only_within(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    with quiet():
        assert not logger.isEnabledFor(logging.INFO)
        warnings.warn("use more workers", PossibleUserWarning, stacklevel=1)
    assert logger.isEnabledFor(logging.INFO)
    with pytest.raises(PossibleUserWarning):
        warnings.warn("use more workers", PossibleUserWarning, stacklevel=1)


def test_other_warnings_pass_and_levels_come_back_after_an_error() -> None:
    with pytest.raises(UserWarning, match="listen"), quiet():
        warnings.warn("listen", UserWarning, stacklevel=1)
    assert logging.getLogger("lightning.pytorch").level == logging.INFO


DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.uint8, torch.bool]


def tensor(shape: list[int], dtype: torch.dtype, seed: int) -> Tensor:
    values = torch.randint(0, 2, shape, generator=torch.Generator().manual_seed(seed)).to(dtype)
    return values.contiguous(memory_format=torch.channels_last) if len(shape) == 4 else values


tensors = st.builds(tensor, st.lists(st.integers(0, 3), max_size=4), st.sampled_from(DTYPES), st.integers(0, 99))
numpy_scalars = st.one_of(
    st.floats(allow_nan=False).map(np.float64), st.integers(-9, 9).map(np.int32), st.booleans().map(np.bool_)
)
plain = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text())
keys = st.one_of(st.integers(), st.text(), st.booleans(), st.none(), st.tuples(st.integers(), st.text()))


def containers(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    dicts = st.dictionaries(keys, children, max_size=3)
    lists = st.lists(children, max_size=3)
    counters = st.dictionaries(st.integers(), st.integers(-3, 3), max_size=3).map(Counter)
    sets = st.sets(st.integers() | st.text(), max_size=3)
    return st.one_of(lists, lists.map(tuple), dicts, dicts.map(OrderedDict), counters, sets)


def same(one: Any, other: Any) -> bool:
    """Equal in kind, value and order of keys; tensors in type and memory order too."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Tensor):
        alike = one.dtype == other.dtype and one.shape == other.shape and one.is_contiguous() == other.is_contiguous()
        return alike and torch.equal(one, other)
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)


@settings(deadline=None, max_examples=60)
@given(st.recursive(st.one_of(plain, tensors, numpy_scalars), containers, max_leaves=12))
def test_a_tree_comes_back_as_it_was(tree: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        save_tree(tree, Path(folder) / "tree.safetensors")
        assert same(load_tree(Path(folder) / "tree.safetensors"), tree)


def test_tensors_that_share_memory_come_back_with_their_values(tmp_path: Path) -> None:
    whole = torch.arange(6.0)
    save_tree({"whole": whole, "again": whole, "part": whole[2:]}, tmp_path / "t.safetensors")
    loaded = load_tree(tmp_path / "t.safetensors")
    assert loaded["again"].tolist() == whole.tolist()
    assert loaded["part"].tolist() == [2, 3, 4, 5]


def test_the_file_is_plain_safetensors_and_no_pickle(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    save_tree({"state": {0: torch.ones(3)}, "milestones": Counter([2, 2])}, path)
    assert list(load_file(path)) == ["000000"]
    assert not path.read_bytes().startswith((b"PK", b"\x80"))
    with pytest.raises(ValueError, match="opcode"):
        list(pickletools.genops(path.read_bytes()))


@pytest.mark.parametrize(
    "value", [object(), Path("x"), torch.Size([1]), print, torch.float32], ids=lambda value: type(value).__name__
)
def test_what_would_need_pickle_is_refused_and_nothing_is_left_behind(tmp_path: Path, value: object) -> None:
    with pytest.raises(TypeError, match="without pickle"):
        save_tree({"deep": [value]}, tmp_path / "t.safetensors")
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    save_tree([torch.zeros(100)], path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(RunError, match=r"t\.safetensors is damaged"):
        load_tree(path)


def test_lightnings_interface_writes_reads_and_removes(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    files = SafeCheckpoints()
    files.save_checkpoint({"epoch": 3, "state": {0: torch.ones(2)}}, path)
    loaded = files.load_checkpoint(str(path), map_location="cpu", weights_only=False)
    assert loaded["epoch"] == 3
    assert loaded["state"][0].tolist() == [1, 1]
    files.remove_checkpoint(path)
    files.remove_checkpoint(path)
    assert not path.exists()

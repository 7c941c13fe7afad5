from pathlib import Path

import pytest
import torch
from torch import nn

from hepatica.cohort.errors import RunError
from hepatica.learn import load_weights, read_note, save_weights


def network(seed: int, *, width: int = 4) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.Flatten(), nn.Linear(width, 2))


def equal(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_weights_and_note_come_back(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(network(0), path, note={"epoch": 3, "label": "für Fuß"})
    other = network(1)
    assert not equal(network(0), other)
    assert load_weights(other, path) is other
    assert equal(network(0), other)
    assert read_note(path) == {"epoch": 3, "label": "für Fuß"}


def test_equal_weights_are_equal_bytes_whatever_their_memory_order(tmp_path: Path) -> None:
    save_weights(network(0), tmp_path / "a.safetensors", note={"x": 1, "y": 2})
    reordered = network(0).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    save_weights(reordered, tmp_path / "b.safetensors", note={"x": 1, "y": 2})
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_layers_that_share_their_weights_still_do_after_loading(tmp_path: Path) -> None:
    def tied() -> nn.Sequential:
        first, second = nn.Linear(3, 3), nn.Linear(3, 3)
        second.weight = first.weight
        return nn.Sequential(first, second)

    one, other = tied(), tied()
    save_weights(one, tmp_path / "w.safetensors")
    load_weights(other, tmp_path / "w.safetensors")
    assert equal(one, other)
    assert other[0].weight is other[1].weight


def test_another_network_is_refused_by_name_and_left_untouched(tmp_path: Path) -> None:
    save_weights(network(0, width=5), tmp_path / "w.safetensors")
    kept = network(1)
    with pytest.raises(RunError, match=r"0\.bias: file \(5,\), network \(4,\)"):
        load_weights(kept, tmp_path / "w.safetensors")
    assert equal(kept, network(1))


def test_a_damaged_or_absent_file_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"")
    for name in ("w.safetensors", "absent.safetensors"):
        with pytest.raises(RunError, match="cannot be read"):
            load_weights(network(0), tmp_path / name)

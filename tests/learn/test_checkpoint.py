import math
import pickletools
import tempfile
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import Tensor

from hepatica.cohort.errors import RunError
from hepatica.learn.checkpoint import SafeCheckpoints, load_tree, save_tree

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

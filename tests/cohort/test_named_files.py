"""Named files: a path stays inside, whatever system wrote it."""

from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatica.cohort.named_files import inside, portable

PARTS = st.lists(st.sampled_from(["a", "b.svs", "..", ".", "C:", "é"]), min_size=1, max_size=4)


@given(PARTS, st.sampled_from("/\\"))
def test_what_is_inside_stays_below_where_it_starts(parts, separator):
    path = separator.join(parts)
    landed = (Path("/root") / portable(path)).resolve()
    assert not inside(path) or landed == Path("/root") or Path("/root") in landed.parents
    assert portable(path) == path.replace("\\", "/")


@pytest.mark.parametrize("path", ["/a", "//server/share/a", r"\\server\a", "C:a", "a/../../b", ".."])
def test_what_leaves_is_not_inside(path):
    assert not inside(path)
    assert PureWindowsPath(path).anchor or ".." in path

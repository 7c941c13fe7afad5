from typing import Any

import numpy as np
import pytest

from hepatica.evaluate import compiled as module
from hepatica.evaluate.compiled import compiled


def total(values: Any) -> Any:
    found = 0.0
    for value in values:
        found += value
    return found


def test_a_compiled_function_gives_what_it_gave() -> None:
    assert compiled(total)(np.array([1.0, 2.5])) == total([1.0, 2.5])


def test_where_nothing_can_be_written_it_is_compiled_without_being_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def njit(function: Any = None, *, cache: bool = False) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return function

    monkeypatch.setattr(module, "njit", njit)
    assert compiled(total) is total

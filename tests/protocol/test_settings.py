"""Protocol: settings are changed by name, checked by type, and survive their file."""

import tomllib
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from hepatica.cohort import SettingsError
from hepatica.protocol import as_plain, from_plain, override


@dataclass(frozen=True, kw_only=True)
class Some:
    """Settings of every kind a system has."""

    ratio: Fraction = Fraction(1, 2)
    horizons: tuple[float, ...] = (12.0, 24.0)
    mode: Literal["one", "two"] = "one"
    limit: int | None = 3
    rate: float = 1e-4


ANY = st.builds(
    Some,
    ratio=st.fractions(min_value=0, max_value=1),
    horizons=st.lists(st.floats(0.1, 1e3), max_size=4).map(tuple),
    mode=st.sampled_from(["one", "two"]),
    limit=st.none() | st.integers(0, 99),
    rate=st.floats(1e-9, 1),
)


@given(ANY)
def test_settings_survive_toml(settings: Some) -> None:
    written = tomllib.loads(tomli_w.dumps(as_plain(settings)))
    assert from_plain(Some(), written) == settings


def test_override_reads_text_as_the_type_wants() -> None:
    assert override(Some(), {"ratio": "1/3", "limit": None}) == Some(ratio=Fraction(1, 3), limit=None)


def test_settings_of_another_version_are_named() -> None:
    written = as_plain(Some())
    del written["rate"]
    with pytest.raises(SettingsError, match="without rate"):
        from_plain(Some(), written)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"ration": 1}, "did you mean ratio"),
        ({"zzz": 1}, "settings are horizons, limit"),
        ({"mode": "three"}, "mode = 'three'"),
        ({"limit": 1.5}, "limit = 1.5"),
        ({"ratio": "many"}, "ratio = 'many'"),
    ],
)
def test_faults_are_named(changes: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        override(Some(), changes)

"""Settings: they are changed by name, checked by type, described by their text, and survive their file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any, Literal

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from hepatica.cohort import SettingsError
from hepatica.protocol import as_plain, from_plain, override
from hepatica.protocol.settings import meanings
from hepatica.systems import all_systems


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


def test_tuples_within_a_mapping_are_lists_as_toml_gives_them() -> None:
    """Else a run that was stopped would be taken for one of other settings."""

    @dataclass(frozen=True)
    class Shaped:
        shape: Mapping[str, Any]

    plain = as_plain(Shaped({"channels": (8, 16), "deep": {"widths": (1,)}}))
    assert plain == tomllib.loads(tomli_w.dumps(plain))


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
        ({"horizons": "12,24"}, "horizons = '12,24': .*write a list in brackets"),
    ],
)
def test_faults_are_named(changes: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        override(Some(), changes)


@dataclass(frozen=True, kw_only=True)
class Room:
    """Settings that a system's derive from."""

    side: int = 224
    """Side of a tile,
    in pixels."""
    rate: float = 0.1  # of learning
    epochs: int = 3
    """Passes."""


@dataclass(frozen=True, kw_only=True)
class Own(Room):
    """Settings of a system."""

    rate: float = 0.2  # ours: "warm-up" first; see #3
    epochs: int = 5
    plain: int = 1
    depth: int = 3  # ours: questions asked
    names: tuple[str, ...] = (
        "a",
    )  # fmt: skip


def test_meanings_are_the_text_under_a_field_or_behind_it_of_the_class_that_gave_one_last() -> None:
    assert meanings(Own()) == {
        "side": "Side of a tile, in pixels.",
        "rate": 'Of learning. Ours: "warm-up" first; see #3.',
        "epochs": "Passes.",
        "plain": "",
        "depth": "Questions asked. Ours.",
        "names": "",
    }


def test_every_setting_of_the_rooms_has_a_meaning() -> None:
    for system in all_systems().values():
        for room in system.rooms.values():
            said = meanings(system.settings)
            assert [each.name for each in fields(room.plan) if not said[each.name]] == []

"""Registry: names and references find records; what cannot be found again is refused before training."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hepatica.cohort import SettingsError
from hepatica.systems import find_system, listed, reference

MINE = """from dataclasses import replace
from hepatica.systems.bae_2025_ccnn import SYSTEM
MINE = replace(SYSTEM, name="mine")
"""


@pytest.mark.parametrize("name", [":X", ".a:B", "no.such.module:X", "hepatica.systems:NOTHING", "bae_2025_ccm"])
def test_what_is_not_there_is_one_sentence(name: str) -> None:
    with pytest.raises(SettingsError):
        find_system(name)


def test_a_variant_of_our_own_system_is_found_by_its_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_variants.py").write_text(MINE)
    monkeypatch.syspath_prepend(str(tmp_path))
    mine = find_system("my_variants:MINE")
    assert reference(mine, settings=mine.quick) == "my_variants:MINE"
    sys.modules.pop("my_variants")


def test_a_record_of_no_module_is_refused() -> None:
    lost = replace(find_system("bae_2025_ccnn"), name="lost")
    with pytest.raises(SettingsError, match="lost could not be found again"):
        reference(lost, settings=lost.settings)


def test_a_faulty_package_does_not_hide_our_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "faulty.py").write_text("def (")
    metadata = tmp_path / "faulty-1.0.dist-info"
    metadata.mkdir()
    (metadata / "entry_points.txt").write_text("[hepatica.systems]\nfaulty = faulty:SYSTEM\n")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    listed.cache_clear()
    with pytest.warns(UserWarning, match="the systems of faulty are left out"):
        assert "bae_2025_ccnn" in listed()
    listed.cache_clear()

"""Fixtures: a phantom cohort of spectra and both systems of it, trained for seconds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class TrainedSpectra:
    """A phantom cohort with a plain effect, and the run of a system trained on it."""

    cohort: Path
    run: Path
    system: Any


@pytest.fixture(scope="session")
def trained_spectra(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TrainedSpectra]:
    """By the name of the system; copy what you mean to break."""
    from hepatica.protocol import override
    from hepatica.runs import train
    from hepatica.spectroscopy.phantom import phantom_spectra
    from hepatica.systems import find_system

    folder = tmp_path_factory.mktemp("spectra")
    cohort = phantom_spectra(folder / "cohort", patients=37, seed=6, difficulty=0.0)
    longer = {"per_epoch": 2048, "epochs": 4, "batch": 64, "hidden": 64, "held_out": 512}
    found = {}
    for name in ("bae_2025_ccnn", "bae_2025_qcnn"):
        system = find_system(name)
        settings = override(system.quick, {**system.shortest, **longer})
        train(system, cohort, run=folder / name, settings=settings, trainer={"accelerator": "cpu"})
        found[name] = TrainedSpectra(cohort=cohort, run=folder / name, system=system)
    return found

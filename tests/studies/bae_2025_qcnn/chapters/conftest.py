"""The study of two phantom hospitals as its chapters read it, and made-up errors whose statistics are known."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hepatica.report.page.results import Run, read_run
from hepatica.studies.bae_2025_qcnn.settings import QUANTIFIER

SPECTRA = 40

OFF = {"nls": 4.0, "map": 1.0, "qcnn": 2.0, "qcnn+gn": 1.0}
"""What every method errs in every spectrum with the signal model's nuisance, to both sides in turn, mM."""


@pytest.fixture(scope="session")
def study(studied_spectra) -> Run:
    """The whole study, with its external cohort."""
    return read_run(studied_spectra.folder, external=[studied_spectra.folder / "external" / "b"])


@pytest.fixture
def folder(studied_spectra, tmp_path: Path) -> Path:
    """A copy of the study's folder, to be broken."""
    shutil.copytree(studied_spectra.folder, tmp_path / "study", ignore=shutil.ignore_patterns("prepared", "work"))
    return tmp_path / "study"


def errors_of(target: str, *, kind: str, scale: float, sd: float) -> pd.DataFrame:
    """A target whose truth rises from 1 by 1; CRLB 2, Bayesian bound 1, stated standard deviations `sd`."""
    sides = np.where(np.arange(SPECTRA) % 2, 1.0, -1.0)
    truth = 1.0 + np.arange(SPECTRA)
    parts = [
        {"method": method, "estimate": truth + scale * off * sides, "seconds": off / 1000}
        for method, off in OFF.items()
    ]
    same = {"spectrum": np.arange(SPECTRA), "target": target, "truth": truth, "sd": sd, "crlb": 2.0, "bayesian": 1.0}
    return pd.concat([pd.DataFrame(same | part) for part in parts], ignore_index=True).assign(nuisance=kind)


@pytest.fixture(scope="session")
def known() -> pd.DataFrame:
    """Two targets, A and B, both kinds of spectra; with every nuisance all errors are three times as large."""
    return pd.concat(
        [
            errors_of(target, kind=kind, scale=scale, sd=1.0)
            for target in ("A", "B")
            for kind, scale in (("signal model", 1.0), ("everything", 3.0))
        ],
        ignore_index=True,
    )


@pytest.fixture(scope="session")
def with_tables(study: Run, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """`with_tables(quantified=…, robustness=…)`: the study with these tables for its own."""

    def make(**tables: pd.DataFrame) -> Run:
        folder = tmp_path_factory.mktemp("with_tables")
        (folder / QUANTIFIER).symlink_to(study.folder / QUANTIFIER)
        for name, table in tables.items():
            table.to_parquet(folder / f"{name}.parquet", index=False)
        return replace(study, folder=folder)

    return make

"""A run of a diagnosis with readers, marked images and outlines beside its results; and the readers of Wang 2021."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report_runs import seal_tables
from scipy.special import logit

from hepatica.evaluate import Confusion, ReaderTable, Reading
from hepatica.report.page.results import Run, read_run

UNAIDED: Mapping[str, tuple[Confusion, ...]] = {
    "internal": (
        Confusion(tp=39, fn=15, tn=38, fp=3),
        Confusion(tp=42, fn=12, tn=38, fp=3),
        Confusion(tp=41, fn=13, tn=35, fp=6),
    ),
    "external": (
        Confusion(tp=35, fn=11, tn=26, fp=10),
        Confusion(tp=39, fn=7, tn=28, fp=8),
        Confusion(tp=38, fn=8, tn=29, fp=7),
    ),
}
"""Table 4, the three radiologists."""

AIDED: Mapping[str, tuple[Confusion, ...]] = {
    "internal": (
        Confusion(tp=44, fn=10, tn=38, fp=3),
        Confusion(tp=46, fn=8, tn=38, fp=3),
        Confusion(tp=48, fn=6, tn=35, fp=6),
    ),
    "external": (
        Confusion(tp=38, fn=8, tn=27, fp=9),
        Confusion(tp=42, fn=4, tn=30, fp=6),
        Confusion(tp=41, fn=5, tn=32, fp=4),
    ),
}
"""Table 5, the same radiologists with the model's probability before them."""

MACHINE: Mapping[str, Confusion] = {
    "internal": Confusion(tp=44, fn=10, tn=37, fp=4),
    "external": Confusion(tp=34, fn=12, tn=32, fp=4),
}
"""Table 4, HCCNet on the patients that were read."""


PHASES = ("plain", "arterial", "portal", "delayed")


@pytest.fixture(scope="session")
def studied_folder(diagnosed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study, not reported yet; copy what you mean to break."""
    folder = tmp_path_factory.mktemp("wang") / "study"
    shutil.copytree(diagnosed, folder)
    for seed, results in enumerate((folder, folder / "external" / "hospital_b")):
        complete(results, np.random.default_rng(seed))
    return folder


@pytest.fixture
def study(studied_folder: Path) -> Run:
    """The study as its chapters read it."""
    return read_run(studied_folder, external=[studied_folder / "external" / "hospital_b"])


def complete(results: Path, rng: np.random.Generator) -> None:
    """Write what the study leaves beside the results of a cohort."""
    hcc = pd.read_parquet(results / "patients.parquet")["hcc"]
    regions = pd.read_parquet(results / "regions.parquet")
    ill = regions["patient_id"].map(hcc).fillna(0).to_numpy()
    nodule = (rng.random(len(regions)) < 0.3 + 0.5 * ill).astype(float)
    marked = regions["patient_id"].isin(hcc.index[::2])
    regions = regions.assign(
        series=1,
        slice=regions.groupby("specimen_id").cumcount(),
        phase=np.array(PHASES)[np.arange(len(regions)) % 4],
        nodule=np.where(marked, nodule, np.nan),
        nodule_log_odds=2.5 * nodule - 1 + rng.normal(0, 1.2, len(regions)),
        hcc_log_odds=logit(regions["score"]) - 1,
    )
    regions.to_parquet(results / "regions.parquet", index=False)
    seen = regions[regions["nodule"] == 1]
    seen[["patient_id", "specimen_id", "series", "slice", "phase"]].assign(
        flagged=seen["nodule_log_odds"] >= 0,
        share=rng.uniform(0.01, 0.06, len(seen)),
        pointing=(rng.random(len(seen)) < 0.7).astype(float),
        dice=rng.uniform(0.2, 0.9, len(seen)),
    ).to_parquet(results / "saliency.parquet", index=False)
    read(hcc.dropna(), rng).to_csv(results / "readers.csv", index=False)
    seal_tables(results)


def read(hcc: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    """Three readers, alone and with help."""
    tables = []
    for arm, skill in (("unaided", 0.9), ("aided", 1.3)):
        for reader in ("R1", "R2", "R3"):
            score = np.round(100 / (1 + np.exp(-(skill * (2 * hcc - 1) + rng.normal(0, 1, len(hcc))))), 1)
            table = {"case": hcc.index, "reader": reader, "arm": arm, "truth": hcc.astype(int).to_numpy()}
            tables.append(
                pd.DataFrame(table | {"call": (score >= 50).astype(int).to_numpy(), "score": score.to_numpy()})
            )
    return pd.concat(tables, ignore_index=True)


def calls(counts: Confusion) -> np.ndarray:
    """Words of calls, first of the ill, then of the others, that give these counts."""
    cells = [("1", counts.tp), ("0", counts.fn), ("0", counts.tn), ("1", counts.fp)]
    return np.concatenate([np.full(count, word) for word, count in cells])


@pytest.fixture(scope="session")
def printed() -> Callable[[str], ReaderTable]:
    """The reader study of the paper's internal or external set: every rate is its own, who errs on whom is not."""

    def of(where: str) -> ReaderTable:
        arms = {"unaided": UNAIDED[where], "aided": AIDED[where]}
        machine = MACHINE[where]
        return ReaderTable(
            truth=np.repeat(["1", "0"], [machine.tp + machine.fn, machine.tn + machine.fp]),
            positive="1",
            readers=("R1", "R2", "R3"),
            arms={
                name: Reading(calls=np.stack([calls(each) for each in arm]), scores=None) for name, arm in arms.items()
            },
            machine=Reading(calls=calls(machine)[None], scores=None),
        )

    return of

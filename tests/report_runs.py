"""A small run folder with an external validation, made of random but plausible patients: flagged phantom throughout."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tomli_w
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from safetensors.numpy import save_file

import hepatica.report
from hepatica.cohort import Cohort, Months, Specimen, Status, Target, TimeToEvent, write_predictions
from hepatica.cohort.atomic import write_json, write_text
from hepatica.cohort.digests import file_digest
from hepatica.cohort.seal import SEAL, seal
from hepatica.evaluate.by_task import task_metrics
from hepatica.protocol import Inference, as_plain
from hepatica.report.page.blocks import Panel
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.style import RC
from hepatica.runs.folder import FORMAT
from hepatica.runs.results import cohort_flow
from hepatica.runs.scores import median_cutoffs, pooled, predictions
from hepatica.systems import find_system

TARGETS = tuple(Target(endpoint="recurrence", horizon=each) for each in (Months(12.0), Months(24.0), None))
ENDPOINTS = {
    name: TimeToEvent(name=name, time=f"{name}_months", event=f"{name}_event")
    for name in ("recurrence", "overall_survival")
}
HCC = Target(endpoint="hcc", horizon=Months(0))
DIAGNOSES = {"hcc": Status(name="hcc", column="hcc")}
UNKNOWN = 3
"""The first patients of each cohort of a diagnosis, of whom it is not known."""

UNUSABLE = 2
"""The last patients of each cohort, of whose specimens none can be used."""

TILES = 3
WIDTH = 16


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a run folder of a test should be like."""

    phantom: bool = True
    external: bool = True
    treated: bool = True
    covariates: bool = True
    explained: bool = True
    stained: bool = True
    events: bool = True
    patients: int = 90
    diagnosis: bool = False

    @property
    def system(self) -> Any:
        """The system it is a run of."""
        return find_system("wang_2021_hccnet" if self.diagnosis else "li_2025_cnn_sasm")

    @property
    def targets(self) -> tuple[Target, ...]:
        """What the scores predict."""
        return (HCC,) if self.diagnosis else TARGETS


class Sketchbook(Gallery):
    """A gallery that lets every panel be painted and keeps its words, but renders nothing: a report in a second."""

    def __init__(self, folder: Path, *, phantom: bool) -> None:
        super().__init__(folder, phantom=phantom)
        self.figures: dict[str, Figure] = {}

    @property
    def words(self) -> dict[str, str]:
        """What each figure says."""
        return {name: " ".join(text.get_text() for text in each.findobj(Text)) for name, each in self.figures.items()}

    def draw(
        self, name: str, paint: Callable[[Figure], None], *, alt: str, size: tuple[float, float] = (4.0, 4.0)
    ) -> Panel:
        with rc_context(RC):
            figure = Figure(figsize=size)
            paint(figure)
        self.figures[name] = figure
        return Panel(source="data:,", alt=alt)


@pytest.fixture
def sketches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports are sketched, not rendered, and their maps have few tiles."""
    monkeypatch.setattr(hepatica.report, "Gallery", Sketchbook)
    monkeypatch.setattr(hepatica.report.chapters.signatures, "LIMIT", 60)


@pytest.fixture
def sketchbook() -> Callable[[Path], Sketchbook]:
    """Make a sketchbook of phantom patients, for one chapter."""
    return partial(Sketchbook, phantom=True)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with every part, reported in full once."""
    run, external = write_run(tmp_path_factory.mktemp("finished") / "run", Case())
    hepatica.report.write_report(run, external=external)
    return run


@pytest.fixture(scope="session")
def diagnosed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a diagnosis with every part, and a validation in `external/hospital_b`; not reported yet."""
    return write_run(tmp_path_factory.mktemp("diagnosed") / "run", Case(diagnosis=True))[0]


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> tuple[Path, list[Path]]:
    """A copy of the finished run, to be altered, and the folder of its validation."""
    run = tmp_path / "copied"
    shutil.copytree(finished, run)
    return run, [run / "external" / "hospital_b"]


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Case], Path]:
    """The run folder of a Case, written once."""
    return cache(lambda case: write_run(tmp_path_factory.mktemp("written") / "run", case)[0])


@pytest.fixture
def make_run(written: Callable[[Case], Path], tmp_path: Path) -> Callable[..., tuple[Path, list[Path]]]:
    """Write the run folder of a Case; its path and the folders of its validations."""

    def make(folder: Path = tmp_path / "run", **changes: Any) -> tuple[Path, list[Path]]:
        shutil.copytree(written(replace(Case(), **changes)), folder)
        return folder, sorted((folder / "external").glob("*"))

    return make


def write_run(folder: Path, case: Case) -> tuple[Path, list[Path]]:
    system = case.system
    home = cohort(case, hospital="hospital_a", seed=1)
    folds, inferred = deal(home, case), inference(home, case, seed=2)
    patients = system.pool(inferred.specimens)
    cutoffs = median_cutoffs(patients[patients["patient_id"].map(folds) == "train"])
    head = {
        "format": FORMAT,
        "system": system.name,
        "reference": system.name,
        "cohort": {"name": home.name, "digest": home.digest, "folder": "/private/somebody"},
        "settings": as_plain(replace(system.settings, side=64)),
        "versions": {"python": "3.11.2", "hepatica": "0.1.0", "torch": "2.15.0"},
    }
    write_text(folder / "settings.toml", tomli_w.dumps(head))
    write_json(folder / "cutoffs.json", cutoffs)
    save_file({"weight": np.zeros(1, dtype=np.float32)}, folder / "model.safetensors")
    locked = [folder / name for name in ("settings.toml", "model.safetensors", "cutoffs.json")]
    write_json(
        folder / "model.json",
        {
            "format": FORMAT,
            "phantom": case.phantom,
            "parameters": 12_303_980,
            "sha256": {path.name: sha256(path.read_bytes()).hexdigest() for path in locked},
            "training": {"denoised subset": "1/2 of each class, printed", "stage 1 epochs": 8},
            "seen": [],
        },
    )
    seal(folder / "model.json")
    results(folder, case, home, inferred, folds=folds, cutoffs=cutoffs, reported=("test", "set_aside"))
    if not case.external:
        return folder, []
    away, out = cohort(case, hospital="hospital_b", seed=3), folder / "external" / "hospital_b"
    where = left_out(away, case).map({True: "set_aside", False: "external"})
    results(
        out, case, away, inference(away, case, seed=4), folds=where, cutoffs=cutoffs, reported=("external", "set_aside")
    )
    return folder, [out]


def cohort(case: Case, *, hospital: str, seed: int) -> Cohort:
    rng = np.random.default_rng(seed)
    index = pd.Index([f"SECRET-{hospital}-{n:04d}" for n in range(case.patients)], name="patient_id")
    risk = rng.standard_normal(case.patients)
    return Cohort(
        name=hospital.replace("_", " ").title(),
        hospital=hospital,
        phantom=case.phantom,
        notes="",
        digest=hospital[-1] * 64,
        endpoints=DIAGNOSES if case.diagnosis else ENDPOINTS,
        patients=diagnoses(risk, rng, index)
        if case.diagnosis
        else follow_up(risk, rng, index, case).join(covariates(risk, rng, index, case)),
        specimens=tuple(
            Specimen(
                patient_id=p,
                specimen_id=f"{p}-s{k}",
                modality=case.system.modality,
                path=Path("x.tif"),
                row=2 + 2 * n + k,
            )
            for n, p in enumerate(index)
            for k in range(2)
        ),
    )


def follow_up(risk: np.ndarray, rng: np.random.Generator, index: pd.Index, case: Case) -> pd.DataFrame:
    table = pd.DataFrame(index=index)
    end = rng.uniform(8, 84, len(index))
    for name, scale in (("recurrence", 40.0), ("overall_survival", 110.0)):
        happens = scale * rng.exponential(size=len(index)) / np.exp(1.1 * risk)
        table[f"{name}_months"] = np.minimum(happens, end).round(1) + 0.1
        table[f"{name}_event"] = (happens <= end).astype(int) if case.events else 0
    return table


def diagnoses(risk: np.ndarray, rng: np.random.Generator, index: pd.Index) -> pd.DataFrame:
    """Half of the patients have HCC, with the pathology of Table 3 of Wang 2021; the others a lesion of three kinds."""
    hcc = rng.random(len(index)) < 0.5
    table = pd.DataFrame({"hcc": hcc.astype(float)}, index=index)
    table["kind"] = np.where(hcc, "hcc", rng.choice(["hemangioma", "metastasis", "cyst"], len(index)))
    table["age_years"] = rng.normal(57, 10, len(index)).round()
    table["sex"] = np.where(rng.random(len(index)) < 0.5 + 0.3 * hcc, "male", "female")
    table["tumour_size_cm"] = np.exp(1.4 + 0.5 * rng.standard_normal(len(index)) + 0.2 * risk).round(1)
    table["tumour_number"] = rng.integers(1, 4, len(index))
    table["metavir"] = rng.integers(0, 5, len(index))
    table["tnm_stage"] = np.where(hcc, rng.choice(["I", "II", "III", "IV"], len(index)), None)
    table["vascular_invasion"] = np.where(hcc, rng.integers(0, 2, len(index)), np.nan)
    table["grade"] = np.where(hcc, rng.integers(1, 5, len(index)), np.nan)
    table.loc[table.index[:UNKNOWN], "hcc"] = np.nan
    return table


def covariates(risk: np.ndarray, rng: np.random.Generator, index: pd.Index, case: Case) -> pd.DataFrame:
    table = pd.DataFrame(index=index)
    if case.treated:
        table["treatment"] = np.where(rng.random(len(index)) < 0.25, "sorafenib", "none")
    if not case.covariates:
        return table
    table["age_years"] = rng.normal(57, 10, len(index)).round()
    table["sex"] = np.where(rng.random(len(index)) < 0.8, "male", "female")
    table["afp_ng_ml"] = np.exp(3 + 1.5 * rng.standard_normal(len(index)) + 0.5 * risk).round(1) + 0.5
    table["tumour_size_cm"] = np.exp(1.4 + 0.5 * rng.standard_normal(len(index)) + 0.2 * risk).round(1)
    table["vascular_invasion"] = (rng.random(len(index)) < 1 / (1 + np.exp(0.7 - 0.6 * risk))).astype(float)
    table.loc[table.index[:4], "vascular_invasion"] = np.nan
    table["bclc_stage"] = rng.choice(["0", "A", "B"], len(index), p=[0.2, 0.5, 0.3])
    return table


def deal(home: Cohort, case: Case) -> pd.Series:
    rng = np.random.default_rng(5)
    folds = pd.Series(
        rng.choice(["train", "validation", "test"], case.patients, p=[0.5, 0.1, 0.4]), home.patients.index
    )
    return folds.mask(left_out(home, case), "set_aside")


def left_out(of: Cohort, case: Case) -> pd.Series:
    """Whether the system's own rule keeps a patient out of training: treated, or of unknown diagnosis."""
    if case.diagnosis:
        return of.patients["hcc"].isna()
    return of.patients["treatment"] != "none" if case.treated else pd.Series(False, index=of.patients.index)


def inference(of: Cohort, case: Case, *, seed: int) -> Inference:
    """Scores that know something of the outcome, tiles around them and signatures that go with the tiles' scores."""
    rng = np.random.default_rng(seed)
    table = of.patients
    luck = 0.7 - 0.4 * table["hcc"].fillna(0.5) if case.diagnosis else table["recurrence_months"].rank(pct=True)
    rows, tiles = [], []
    for specimen in of.specimens[: -2 * UNUSABLE]:
        own = 0.9 - 0.8 * luck[specimen.patient_id] + rng.normal(0, 0.22)
        ids = {"patient_id": specimen.patient_id, "specimen_id": specimen.specimen_id}
        rows += [
            ids | {"endpoint": t.endpoint, "horizon_months": t.horizon, "score": _share(own + rng.normal(0, 0.05))}
            for t in case.targets
        ]
        tiles += [
            ids | {"x": 448 * k, "y": 0, "extent": 448, "score": _share(own + rng.normal(0, 0.1))} for k in range(TILES)
        ]
    regions = pd.DataFrame(tiles)
    directions = rng.standard_normal((2, WIDTH))
    known = np.stack([regions["score"].to_numpy() * 4, rng.standard_normal(len(regions))], axis=1)
    signatures = known @ directions + 0.5 * rng.standard_normal((len(regions), WIDTH))
    return Inference(specimens=pd.DataFrame(rows), regions=regions, signatures=signatures.astype(np.float32))


def stains(of: Cohort, case: Case, inferred: Inference) -> pd.DataFrame:
    """Specimens as a store tells of them: hospital B stains bluer and paler."""
    rng, bluer = np.random.default_rng(6), 0.15 * (of.hospital == "hospital_b")
    table = inferred.specimens[["patient_id", "specimen_id"]].drop_duplicates()
    if not case.stained or case.diagnosis:
        return table
    for name, vector in {"haematoxylin": (0.62, 0.70, 0.34), "eosin": (0.24, 0.88, 0.40)}.items():
        drawn = rng.normal(np.array(vector) - (0, 0, bluer), 0.02, (len(table), 3))
        table[[f"{name}_{colour}" for colour in "rgb"]] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
        table[f"{name}_peak"] = rng.normal(1.6 - 2 * bluer, 0.15, len(table))
    return table


def seal_tables(folder: Path) -> None:
    """Seal the tables of results as they now are, which a test has made or altered."""
    suffixes = (".parquet", ".json", ".safetensors", ".csv")
    seal(*(path for path in folder.iterdir() if path.suffix in suffixes and path.name != SEAL))


def _share(score: float) -> float:
    return float(np.clip(score, 0.01, 0.99))


def results(
    out: Path,
    case: Case,
    of: Cohort,
    inferred: Inference,
    *,
    folds: pd.Series,
    cutoffs: dict[str, float],
    reported: tuple[str, ...],
) -> None:
    folds = folds.where(folds.index.isin(inferred.specimens["patient_id"]), "not_scored")
    table = predictions(pooled(case.system, inferred, settings=case.system.settings), folds=folds, cutoffs=cutoffs)
    out.mkdir(parents=True, exist_ok=True)
    write_predictions(table, path=out / "predictions.parquet")
    inferred.regions.to_parquet(out / "regions.parquet", index=False)
    save_file({"signatures": inferred.signatures}, out / "signatures.safetensors")
    of.patients.assign(fold=folds).to_parquet(out / "patients.parquet")
    material = SimpleNamespace(
        specimens=table[table["specimen_id"].notna()].drop_duplicates("specimen_id"),
        failures=pd.DataFrame(
            [{"row": each.row, "error": "the file is truncated"} for each in of.specimens[-2 * UNUSABLE :]]
        ),
    )
    stains(of, case, inferred).to_parquet(out / "specimens.parquet", index=False)
    run = out if (out / "model.json").exists() else out.parents[1]
    flow = cohort_flow(of, modality=of.specimens[0].modality, material=material, folds=folds)
    write_json(out / "cohort.json", flow | {"model": file_digest(run / "model.json"), "changes": {}})
    found = [
        row
        for fold in reported
        if (folds == fold).any()
        for row in task_metrics(table, cohort=of, cutoffs=cutoffs, fold=fold)
    ]
    write_json(out / "metrics.json", found)
    seal_tables(out)
    if case.explained:
        files = []
        for kind in ("heatmap", "tiles"):
            path = out / "explained" / f"specimen_0002_{kind}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(np.full((60, 80, 3), 200, dtype=np.uint8)).save(path)
            files.append(path.name)
        write_json(
            out / "explained" / "explained.json",
            [{"row": 2, "score": 0.91, "class_or_quantity": None, "files": [*files, "a.geojson"]}],
        )
        seal_tables(out / "explained")

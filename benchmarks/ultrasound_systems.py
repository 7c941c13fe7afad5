"""Systems of ultrasound on phantoms, trained on hospital A, validated on B; and how fast a cine is read and masked.

    .venv/bin/python benchmarks/ultrasound_systems.py SYSTEM... [--patients 80] [--new 60] [--seed 1] [--set name=value]
        [--rows 180] [--images 1]
    .venv/bin/python benchmarks/ultrasound_systems.py --leakage [--patients 60] [--set epochs=10]
.venv/bin/python benchmarks/ultrasound_systems.py --cine 600
"""

import argparse
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydicom
from pydicom.uid import UltrasoundMultiFrameImageStorage
from sklearn.linear_model import LogisticRegression
from torch.nn.functional import cross_entropy

from hepatica.cohort import load_cohort
from hepatica.cohort.atomic import read_json
from hepatica.evaluate import at_horizon, auroc, compare_auroc
from hepatica.evaluate.binary.confusion import accuracy, confusion
from hepatica.learn import Chosen, Samples, infer
from hepatica.learn.fit import fit
from hepatica.protocol import override
from hepatica.protocol.plain import outcomes
from hepatica.radiology.phantom import UltrasoundSettings, phantom_ultrasound
from hepatica.radiology.ultrasound.clips import find_clips
from hepatica.radiology.ultrasound.room import labelled_views
from hepatica.report import write_report
from hepatica.runs import train, validate
from hepatica.systems import find_system

SHARE = 0.3
"""Of squares, or of patients, that are held out to show leakage."""

WANTED = (
    "accuracy", "auroc_macro", "macro_f1", "auroc", "sensitivity", "specificity", "c_index",
)  # fmt: skip


def main() -> None:
    """Print statistics of each system on hospital B, or frames a second."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("systems", nargs="*")
    for name, usual in (("patients", 80), ("new", 60), ("seed", 1), ("cine", 0), ("rows", 360), ("images", 2)):
        arguments.add_argument(f"--{name}", type=int, default=usual)
    arguments.add_argument("--difficulty", type=float, default=0.3)
    arguments.add_argument("--set", action="append", default=[], help="a setting: name=value")
    arguments.add_argument("--folder", type=Path, help="keeps phantoms, prepared views and runs")
    arguments.add_argument("--leakage", action="store_true", help="squares against patients dealt, of Bharti 2018")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for name in given.systems:
            run(name, given, folder=given.folder or Path(temporary))
        if given.leakage:
            leakage(given, folder=given.folder or Path(temporary))
        if given.cine:
            cine(given.cine, folder=Path(temporary))


def run(name: str, given: argparse.Namespace, *, folder: Path) -> None:
    """One system; those of one population share its phantoms."""
    system = find_system(name)
    shown = f"{system.population.name}_{given.seed}"
    home, away = (folder / f"{shown}_{hospital}" for hospital in "AB")
    start = time.perf_counter()
    for where, hospital, count, seed in (
        (home, "A", given.patients, given.seed),
        (away, "B", given.new, 999 + given.seed),
    ):
        options = {"patients": count, "seed": seed, "hospital": hospital, "difficulty": given.difficulty}
        options["settings"] = UltrasoundSettings(rows=given.rows, columns=given.rows * 4 // 3, images=given.images)
        system.phantom(where, **options)
    print(f"{name}: phantoms in {time.perf_counter() - start:.0f} s", flush=True)
    settings, start = override(system.quick, dict(each.split("=") for each in given.set)), time.perf_counter()
    own = folder / f"{name}_{given.seed}_{'_'.join(given.set)}"
    train(system, home, run=own, settings=settings)
    out = own / "external" / "phantom_B"
    validate(own, away, out=out)
    print(f"{name}: trained and validated in {time.perf_counter() - start:.0f} s", flush=True)
    for where, named in ((own / "metrics.json", "A, test"), (out / "metrics.json", "B")):
        for row in read_json(where):
            if row["metric"] in WANTED and row["value"] is not None and row.get("fold") != "train":
                limits = f"{row['low']} to {row['high']}"
                print(f"  {named} {row['target']} {row['metric']} {row['value']} ({limits}), n {row['n']}")
    compare(out, away, home, system=system)
    print(f"  {write_report(own)}")


def leakage(given: argparse.Namespace, *, folder: Path) -> None:
    """Accuracy of squares of Bharti 2018 where squares, and where patients, are dealt into training and test."""
    system = find_system("bharti_2018")
    settings = replace(override(system.quick, dict(each.split("=") for each in given.set)), monitor="train_loss")
    home = folder / f"{system.population.name}_{given.seed}_A_{given.patients}"
    how = {"patients": given.patients, "seed": given.seed, "difficulty": given.difficulty}
    cohort = load_cohort(system.phantom(home, **how))
    material = system.prepare(cohort, settings, folder / "leakage")
    every = labelled_views(material, outcomes(cohort, task=system.tasks(settings)[0]), lesions=True)
    own = every.inputs.inputs.index["patient_id"].iloc[every.inputs.rows].to_numpy()
    rng = np.random.default_rng(given.seed)
    patients = rng.permutation(np.unique(own))
    splits = {
        "squares": rng.random(len(own)) < SHARE,
        "patients": np.isin(own, patients[: round(SHARE * len(patients))]),
    }
    for name, held in splits.items():
        parts = [
            Samples(inputs=Chosen(inputs=every.inputs.inputs, rows=every.inputs.rows[each]), labels=every.labels[each])
            for each in (~held, held)
        ]
        network = system.build(settings, pretrained=False)
        where = folder / f"leak_{name}_{given.seed}"
        how = {"augment": system.augmentation(settings), "loss": cross_entropy}
        fit(network, parts[0], settings, folder=where, label=name, **how)
        logits = infer(network, parts[1].inputs, batch=256, label=name, outputs=lambda read: (read.logits,))[0]
        right = logits.argmax(axis=1) == parts[1].labels
        found = accuracy(confusion(right.astype(int), score=np.ones(len(right)), cutoff=0.5, group=own[held]))
        print(f"  {name} dealt: accuracy of squares {found}", flush=True)


def compare(out: Path, away: Path, home: Path, *, system: Any) -> None:
    """Against the system's comparators and what an oracle knows, in the same patients of hospital B."""
    cohort, target = load_cohort(away), system.targets(system.settings)[0]
    table = pd.read_parquet(out / "predictions.parquet")
    own = table[table["specimen_id"].isna() & table["score"].notna()]
    score = (
        own[own["endpoint"] == target.endpoint]
        .drop_duplicates("patient_id", keep="last")
        .set_index("patient_id")["score"]
    )
    others = {}
    if (found := out / "comparators.parquet").exists():
        others = dict(pd.read_parquet(found).select_dtypes("number").loc[score.index].items())
    if target.endpoint == "response":
        others |= {"oracle": oracle(home, away).loc[score.index]}
    if target.followed:
        patients = cohort.patients.loc[score.index]
        others |= {"stiffness, measured": patients["stiffness_kpa"], "METAVIR, true": patients["metavir"].astype(float)}
        how = {"event": patients["incidence_event"], "horizon": target.horizon}
        outcome = at_horizon(patients["incidence_months"], **how)
        print(f"  censoring-weighted AUROC {auroc(outcome, score=score)}")
        for name, other in others.items():
            print(f"  {name} {auroc(outcome, score=other)}")
            print(f"  minus {name} {compare_auroc(outcome, score_a=score, score_b=other)}")
        return
    if system.tasks(system.settings)[0].KIND != "binary":
        return
    label = cohort.label(target).loc[score.index].astype(int)
    for name, other in others.items():
        print(f"  {name} {auroc(label, score=other)}")
        print(f"  minus {name} {compare_auroc(label, score_a=score, score_b=other)}")


def oracle(home: Path, away: Path) -> pd.Series:
    """Log-odds of response in hospital B by what is shown of the largest lesion, fitted to hospital A."""
    shown = ["infiltration", "vascularity", "diameter_cm"]
    tables = [
        pd.read_csv(each / "lesions_truth.csv").query("number == 1").set_index("patient_id") for each in (home, away)
    ]
    values = [np.log(each[shown].clip(lower=1e-3)).assign(infiltration=each["infiltration"]) for each in tables]
    known = load_cohort(home).patients["response"].astype(int)
    fitted = LogisticRegression().fit(values[0], known.loc[values[0].index])
    return pd.Series(fitted.decision_function(values[1]), index=values[1].index)


def cine(frames: int, *, folder: Path) -> None:
    """Frames of 480 x 640 a second, decoded, their outline and text found, and masked."""
    made = phantom_ultrasound(folder / "one", patients=1, settings=UltrasoundSettings(rows=480, columns=640, images=1))
    shutil.unpack_archive(made / "ultrasound" / "0001.zip", folder)
    dataset = pydicom.dcmread(folder / "0001.dcm")
    grey = dataset.pixel_array[..., 0]
    dataset.SOPClassUID, dataset.NumberOfFrames = UltrasoundMultiFrameImageStorage, frames
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    rng = np.random.default_rng(0)
    noisy = [np.where(grey > 0, grey ^ rng.integers(0, 8, grey.shape, np.uint8), 0) for _ in range(20)]
    dataset.PixelData = b"".join(noisy[k % 20].tobytes() for k in range(frames))
    dataset.FrameTime = "33"
    dataset.save_as(folder / "cine.dcm")
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        (clip,) = find_clips(folder / "cine.dcm")
        read = clip.read()
        taken.append(time.perf_counter() - start)
    start = time.perf_counter()
    plain = pydicom.dcmread(folder / "cine.dcm").pixel_array
    alone = time.perf_counter() - start
    same = np.array_equal(plain[:, read.seen], read.frames[:, read.seen])
    print(
        f"{frames} frames of 480 x 640: {frames / min(taken):.0f} frames/s (best of 3, {min(taken):.2f} s);"
        f" pydicom alone, unmasked: {frames / alone:.0f}; pixels equal: {same}"
    )


if __name__ == "__main__":
    main()

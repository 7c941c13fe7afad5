"""Denoising: does it help to train only on patients whose survival confirms their label, where the truth is known?

    .venv/bin/python docs/studies/denoising.py --seeds 20 --out /tmp/denoising

For each seed a new phantom cohort is simulated and photographed, and one small convolutional network is trained for
each share of corrupted labels, number of patients and way of choosing among them; all are read on the same test
patients. Finished cells are kept in `--out`, so that a stopped study goes on where it was. The summary and the figure
go into `--report`. One thread, so that one seed gives one result. denoising.md tells what came out.

Li et al., BMC Med 2025;23:162, doi 10.1186/s12916-025-03977-4, train so and do not report the comparison on all
patients. Stage 1 only: a patient's score is the mean over his tiles, no signature and no second network.
"""

import argparse
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch
from denoising_summary import report
from einops import rearrange
from scipy.stats import spearmanr
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from hepatica.cohort import MicronsPerPixel, SlidePixels, TimeToEvent, confident_patients
from hepatica.cohort.atomic import read_json, replacing, write_json
from hepatica.cohort.confidence import RATIOS
from hepatica.cohort.phantom import RESECTED, draw_patients, patient_table, truth_table
from hepatica.cohort.streams import generator
from hepatica.evaluate import auroc
from hepatica.learn import as_images, augmentation
from hepatica.networks import Pooled
from hepatica.pathology.phantom.histology import draw_tissue
from hepatica.pathology.phantom.layout import STANDARD
from hepatica.pathology.phantom.scanner import HOSPITALS, photograph, stain

RAW = Fraction(1)
CHECKED = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
SURVIVAL = TimeToEvent(name="overall_survival", time="overall_survival_months", event="overall_survival_event")
TRUTH_MONTHS = 24

# Sorafenib would make two populations of one; the paper trains on untreated patients.
UNTREATED = replace(RESECTED, sorafenib_log_hazard=0.0, sorafenib_interaction=0.0)
PHANTOM = replace(STANDARD, side=SlidePixels(192), mpp=MicronsPerPixel(1.0))
VISIBILITY = 0.5
"""Difficulty of the pictures, the demo's; the noise of the labels is set apart from it."""

SIDE, ACROSS = 64, 2
"""Pixels of a tile, and tiles across the square that is cut from the middle of a core."""

CHANNELS = (16, 32, 64, 64)
BATCH, LEARNING_RATE = 32, 3e-3
LONG = 4
"""Times the steps in the check of long training."""

Selection = Literal["printed", "censoring_aware", "random"]
Pace = Literal["steps", "epochs", "long"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The grid; `check_noise` and `check_patients` name the setting at which the other choices are tried."""

    noises: tuple[float, ...] = (0.0, 0.3, 0.6)
    patients: tuple[int, ...] = (60, 120, 240)
    test_patients: int = 200
    steps: int = 60
    check_noise: float = 0.3
    check_patients: int = 120


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Whom to train on, and for how long: `steps` for all alike, or as many `epochs`, or `LONG` times the steps."""

    ratio: Fraction
    selection: Selection = "printed"
    pace: Pace = "steps"


def choices(plan: Plan, *, noise: float, patients: int) -> Iterator[Choice]:
    """The paper's subsets; long training at the checked size and where noise and size are greatest; other checks."""
    yield from (Choice(ratio=ratio) for ratio in RATIOS)
    hardest = (noise, patients) == (max(plan.noises), max(plan.patients))
    if patients == plan.check_patients or hardest:
        yield from (Choice(ratio=ratio, pace="long") for ratio in (Fraction(1, 2), RAW))
    if (noise, patients) == (plan.check_noise, plan.check_patients):
        for ratio in CHECKED:
            yield Choice(ratio=ratio, selection="censoring_aware")
            yield Choice(ratio=ratio, selection="random")
            yield Choice(ratio=ratio, pace="epochs")


def follow(seed: int, *, noise: float, patients: int) -> pd.DataFrame:
    """Follow-up of a phantom cohort in which the recorded recurrence of a share `noise` is a stranger's.

    Pictures, deaths and visits are the same at every noise. `true_24` and `true_final` are what would have been
    recorded of the own tumour, the first without censoring.
    """
    population = replace(UNTREATED, corrupted_share_when_hard=noise)
    people = draw_patients(patients, population=population, seed=seed, difficulty=1.0)
    table = patient_table(people).merge(truth_table(people), on="patient_id")
    own = table.recurrence_months_uncorrupted
    seen = np.where(table.corrupted == 1, own <= table.overall_survival_months, table.recurrence_event == 1)
    return table.assign(true_24=(own <= TRUTH_MONTHS).astype(int), true_final=seen.astype(int)).set_index("patient_id")


def photographed(aggressiveness: pd.Series, *, seed: int) -> np.ndarray:
    """Tiles (patients, tiles, 64, 64, 3) uint8 from the middle of one core a patient, drawn as a phantom cohort's."""
    own = PHANTOM.image_variation_when_hard * VISIBILITY
    effect = 1 - PHANTOM.effect_lost_when_hard * VISIBILITY
    hospital = HOSPITALS["A"]
    tiles = []
    for patient, each in enumerate(aggressiveness):
        rng = generator(seed, "A", "image", patient, 0)
        staining = stain(generator(seed, "A", "staining", patient), hospital=hospital)
        grade = np.sqrt(1 - own) * each + np.sqrt(own) * rng.standard_normal()
        uptake = draw_tissue(rng, grade=grade, effect=effect, settings=PHANTOM)
        tiles.append(_cut(photograph(uptake, rng=rng, hospital=hospital, staining=staining)))
    return np.stack(tiles)


def _cut(picture: np.ndarray) -> np.ndarray:
    edge = (len(picture) - ACROSS * SIDE) // 2
    middle = picture[edge : edge + ACROSS * SIDE, edge : edge + ACROSS * SIDE]
    return rearrange(middle, "(row h) (column w) c -> (row column) h w c", h=SIDE, w=SIDE)


def network() -> nn.Module:
    """Four convolutions with batch normalisation, the first three halving the map; averaged, one linear layer."""
    layers: list[nn.Module] = []
    for before, after in zip((3, *CHANNELS), CHANNELS, strict=False):
        stride = 2 if before == 3 else 1
        layers += [nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if after != before else []
    return Pooled(nn.Sequential(*layers), channels=CHANNELS[-1]).to(memory_format=torch.channels_last)


def train(tiles: Tensor, label: Tensor, *, steps: int, seed: int) -> nn.Module:
    """Train on tiles (patients, tiles, h, w, 3) that bear their patient's label; every patient is drawn as often."""
    torch.manual_seed(seed)
    learner = network().train()
    augment = augmentation.flips()
    optimiser = torch.optim.AdamW(learner.parameters(), lr=LEARNING_RATE, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    for _ in range(steps):
        patient, tile = torch.randint(len(tiles), (BATCH,)), torch.randint(tiles.shape[1], (BATCH,))
        views = augment(rearrange(tiles[patient, tile], "b h w c -> b c h w"))
        loss = cross_entropy(learner(as_images(rearrange(views, "b c h w -> b h w c"))).logits, label[patient])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return learner.eval()


@torch.inference_mode()
def read(learner: nn.Module, tiles: Tensor) -> np.ndarray:
    """Score (patients,): the mean over a patient's tiles of the probability of recurrence."""
    scores = [learner(as_images(rearrange(part, "p t h w c -> (p t) h w c"))).logits for part in tiles.split(50)]
    return rearrange(torch.cat(scores).softmax(1)[:, 1], "(p t) -> p t", t=tiles.shape[1]).mean(1).numpy()


def chosen(table: pd.DataFrame, choice: Choice, *, seed: int) -> pd.Index:
    """Training patients of a choice; the random ones are as many of each class as the printed rule would keep."""
    variant = "printed" if choice.selection == "random" else choice.selection
    label = table.recurrence_event.astype(float)
    kept = confident_patients(label, patients=table, survival=SURVIVAL, ratio=choice.ratio, variant=variant)
    if choice.selection != "random":
        return pd.Index(kept)
    rng = generator(seed, "random subset", str(choice.ratio))
    return pd.Index([each for _, group in label[[*kept]].groupby(label) for each in _as_many(group, label, rng)])


def _as_many(group: pd.Series, label: pd.Series, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(label.index[label == group.iloc[0]], len(group), replace=False)


def judged(test: pd.DataFrame, score: pd.Series) -> dict[str, float]:
    """AUROC against the truth and against what was recorded, in all test patients and in the denoised ones."""
    found = {
        name: auroc(test[column], score=score).value
        for name, column in (("true_24", "true_24"), ("true_final", "true_final"), ("recorded", "recurrence_event"))
    }
    found["spearman"] = float(spearmanr(score, test.aggressiveness).statistic)
    label = test.recurrence_event.astype(float)
    for ratio in RATIOS[:-1]:
        easy = list(confident_patients(label, patients=test, survival=SURVIVAL, ratio=ratio))
        found[f"denoised_test_{ratio}"] = auroc(label[easy], score=score[easy]).value
    return found


def trial(table: pd.DataFrame, tiles: Tensor, choice: Choice, *, plan: Plan, patients: int, seed: int) -> dict:
    """Train one network on the first `patients` as chosen and judge it on the last `plan.test_patients`."""
    pool, test = table.iloc[:patients], table.iloc[-plan.test_patients :]
    kept = chosen(pool, choice, seed=seed)
    label = pool.recurrence_event[kept]
    pace = {"steps": 1.0, "epochs": len(kept) / patients, "long": float(LONG)}[choice.pace]
    learner = train(
        tiles[pool.index.get_indexer(kept)],
        torch.tensor(label.to_numpy(int)),
        steps=max(2, round(plan.steps * pace)),
        seed=seed,
    )
    score = pd.Series(read(learner, tiles[-plan.test_patients :]), index=test.index)
    return {
        **{name: str(value) for name, value in asdict(choice).items()},
        "kept": len(kept),
        "wrong_labels": float((label != pool.true_final[kept]).mean()),
        **judged(test, score),
    }


def study(seed: int, plan: Plan, folder: Path) -> None:
    """Every cell of one seed that is not there yet."""
    size = max(plan.patients) + plan.test_patients
    cells = [(noise, patients) for noise in plan.noises for patients in plan.patients]
    missing = {cell: folder / f"{seed:03d}_{cell[0]:g}_{cell[1]}.csv" for cell in cells}
    missing = {cell: path for cell, path in missing.items() if not path.exists()}
    if not missing:
        return
    tiles = torch.from_numpy(photographed(follow(seed, noise=0, patients=size).aggressiveness, seed=seed))
    for (noise, patients), path in missing.items():
        table = follow(seed, noise=noise, patients=size)
        options = choices(plan, noise=noise, patients=patients)
        rows = [trial(table, tiles, each, plan=plan, patients=patients, seed=seed) for each in options]
        with replacing(path) as temporary:
            pd.DataFrame(rows).assign(seed=seed, noise=noise, patients=patients).to_csv(temporary, index=False)
        print(f"seed {seed}, corrupted {noise:g}, {patients} patients: {len(rows)} networks", flush=True)


def claim(folder: Path, plan: Plan) -> None:
    """Refuse a folder whose results were made by another plan."""
    ours = {"test_patients": plan.test_patients, "most_patients": max(plan.patients), "steps": plan.steps}
    mark = folder / "plan.json"
    if mark.exists() and read_json(mark) != ours:
        raise SystemExit(f"{folder} holds results of another plan; choose another --out")
    write_json(mark, ours)


def main(words: list[str] | None = None) -> None:
    """Make what is missing, then sum up the seeds asked for."""
    default = Plan()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--noises", type=float, nargs="+", default=default.noises)
    parser.add_argument("--patients", type=int, nargs="+", default=default.patients)
    parser.add_argument("--test-patients", type=int, default=default.test_patients)
    parser.add_argument("--steps", type=int, default=default.steps)
    parser.add_argument("--out", type=Path, required=True, help="results of every cell")
    parser.add_argument("--report", type=Path, default=Path(__file__).parent, help="folder of summary and figure")
    given = parser.parse_args(words)
    plan = Plan(
        noises=tuple(given.noises),
        patients=tuple(given.patients),
        test_patients=given.test_patients,
        steps=given.steps,
    )
    torch.set_num_threads(1)
    claim(given.out, plan)
    for seed in range(given.seeds):
        study(seed, plan, given.out)
    report(given.out, given.report, seeds=given.seeds)


if __name__ == "__main__":
    main()

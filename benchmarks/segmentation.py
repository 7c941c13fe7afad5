"""Systems of segmentation on phantoms: trained on hospital A, validated on B, and on a real CT of the liver.

    .venv/bin/python benchmarks/segmentation.py SYSTEM [--patients 40] [--new 24] [--seed 1] [--epochs 30] [--real]

`--real`: the network that saw phantoms alone, on TotalSegmentator's CT (HEPATICA_DATA), by the Dice of the liver.
`--by slice`: trained and tested on slices dealt without regard to patients, beside those of other patients: how much
that inflates Dice. `--full`: the paper's network alone, forward once.
"""

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hepatica.cohort import Segmentation, Specimen, load_cohort
from hepatica.cohort.atomic import read_json
from hepatica.evaluate import mask_pair, measure_case, segmentation_metrics
from hepatica.learn import Arrays, Samples
from hepatica.learn.fit import fit
from hepatica.protocol import override
from hepatica.radiology.dicom.nifti import read_nifti
from hepatica.radiology.masks.mask import LABELS, read_mask
from hepatica.radiology.phantom import PhantomSettings
from hepatica.radiology.segmentation.patches import as_classes
from hepatica.radiology.segmentation.results import labels_of
from hepatica.radiology.segmentation.room import infer_segments
from hepatica.radiology.segmentation.store import Reading
from hepatica.radiology.segmentation.store import prepare as prepare_volumes
from hepatica.runs import train, validate
from hepatica.runs.lock import open_run
from hepatica.systems import find_system

REAL = ("example_ct.nii.gz", "example_seg.nii.gz"), ("dicom", "example_seg_dicom.nii.gz")
"""The scans of TotalSegmentator's tests and their masks, liver 5. The first mask is of the uppermost slices, though its
file places them lowest: there it marks 45 HU (standard deviation 15), as placed by the file -69 (320).
"""


def main() -> None:
    """Print statistics of a system on hospital B."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("system")
    for name, usual in (("patients", 40), ("new", 24), ("seed", 1), ("matrix", 96), ("slices", 20), ("epochs", 30)):
        arguments.add_argument(f"--{name}", type=int, default=usual)
    arguments.add_argument("--difficulty", type=float, default=0.3)
    arguments.add_argument("--thickness", type=float, default=7.0, help="of slices, mm")
    arguments.add_argument("--set", action="append", default=[], help="a setting: name=value")
    arguments.add_argument("--by", choices=("patient", "slice"), default="patient")
    arguments.add_argument("--real", action="store_true", help="the real CT")
    arguments.add_argument("--full", action="store_true", help="the paper's network alone, forward once")
    arguments.add_argument("--folder", type=Path, help="keeps phantoms, volumes and runs")
    given = arguments.parse_args()
    if given.full:
        forward(given.system)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        home, away, settings = phantoms(given, folder)
        if given.by == "slice":
            by_slice(given.system, home, settings, folder)
            return
        own = folder / f"{given.system}_{given.seed}_{'_'.join(given.set)}"
        start = time.perf_counter()
        train(find_system(given.system), home, run=own, settings=settings, prepared=folder / "volumes_A")
        print(f"trained in {time.perf_counter() - start:.0f} s", flush=True)
        validate(own, away, out=own / "external" / "B", prepared=folder / "volumes_B")
        print(f"validated after {time.perf_counter() - start:.0f} s", flush=True)
        for row in read_json(own / "external" / "B" / "metrics.json"):
            print(f"  {row['metric']} {row['value']} ({row['low']} to {row['high']}), n {row['n']}")
        if given.real:
            real(own, folder)


def phantoms(given: argparse.Namespace, folder: Path) -> tuple[Path, Path, object]:
    """Hospitals A and B, and the settings."""
    system = find_system(given.system)
    scans = PhantomSettings(matrix=given.matrix, slices=given.slices, thickness_mm=given.thickness)
    made = []
    for hospital, count, seed in (("A", given.patients, given.seed), ("B", given.new, 999 + given.seed)):
        where = folder / f"{system.population.name}_{hospital}_{seed}_{count}"
        options = {"patients": count, "seed": seed, "hospital": hospital, "difficulty": given.difficulty}
        made.append(system.phantom(where, settings=scans, **options))
    changes = {"epochs": given.epochs} | dict(each.split("=", 1) for each in given.set)
    return made[0], made[1], override(system.quick, changes)


def real(run: Path, folder: Path) -> None:
    """Dice of the liver on CT that no phantom drew."""
    locked, data = open_run(run), Path(os.environ["HEPATICA_DATA"], "radiology", "totalsegmentator")
    settings = locked.settings
    for image, mask in REAL:
        one = Specimen(patient_id="P", specimen_id=image, modality="ct", path=data / image, row=1)
        reading = Reading(phase=settings.phase, voxel_mm=settings.voxel_mm)
        depth = settings.voxels[0] if settings.solid else settings.depth
        store = prepare_volumes(
            [one], reading=reading, folder=folder / f"real_{run.name}", black_white=settings.hu, depth=depth,
            solid=settings.solid,
        )  # fmt: skip
        found = infer_segments(locked.network, store, settings, Segmentation(settings.endpoint))
        labels, grid = read_nifti(data / mask)
        liver = labels_of(found, image) >= LABELS["liver"]
        if image == REAL[0][0]:
            pair = mask_pair(labels == 5, predicted=liver[-len(labels) :], spacing=grid.spacing)
        else:
            geometry = store.own_grid(image)
            truth = read_mask(data / mask, geometry=geometry, only="liver")
            pair = mask_pair(truth, predicted=liver, spacing=geometry.spacing)
        print(f"  {image}: {measure_case(pair, tolerance=2.0)}", flush=True)


def by_slice(name: str, home: Path, settings: object, folder: Path) -> None:
    """The same network trained twice on as many slices: of all patients, and of three quarters of them; each tested on
    slices it has not seen, of patients it has and of patients it has not.
    """
    system, cohort = find_system(name), load_cohort(home)
    store = system.prepare(cohort, settings, folder / "volumes_A")
    masks = {each: store.part(each, "mask")[:] for each in store.specimens["specimen_id"]}
    rows = store.index.reset_index(drop=True)
    shown = np.array([(masks[s][p] > 0).any() for s, p in zip(rows["specimen_id"], rows["place"], strict=True)])
    rng = np.random.default_rng(settings.seed)
    patients = rng.permutation(rows["patient_id"].unique())
    old = rows["patient_id"].isin(patients[: 3 * len(patients) // 4]).to_numpy()
    dealt = rng.random(len(rows)) < 0.75
    for title, seen, new in (("by slice", dealt, ~dealt), ("by patient", old, ~old)):
        network = system.build(settings, pretrained=True)
        chosen, fresh = np.flatnonzero(seen & shown), np.flatnonzero(new & shown)
        labels = np.stack([cut(as_classes(masks[s][p], classes=settings.classes), settings)
                           for s, p in rows.loc[chosen, ["specimen_id", "place"]].to_numpy()])  # fmt: skip
        images = np.stack([cut(each, settings) for each in store.read(chosen)])
        samples = Samples(inputs=Arrays(values=images), labels=labels)
        with tempfile.TemporaryDirectory() as work:
            fit(network, samples, settings, folder=Path(work) / "fit", label=title, loss=settings.loss)
        print(f"  {title}: {dice_of(network, store, rows.loc[fresh], masks, settings)}", flush=True)


def cut(image: np.ndarray, settings: object) -> np.ndarray:
    """The middle of an image (y x ...), of the size that the network reads."""
    y, x = ((n - side) // 2 for n, side in zip(image.shape, settings.voxels[1:], strict=False))
    return image[y : y + settings.voxels[1], x : x + settings.voxels[2]]


def dice_of(network: object, store: object, rows: pd.DataFrame, masks: dict, settings: object) -> dict:
    """Mean Dice over slices of each class that is there."""
    found = []
    for place, row in zip(rows.index, rows.itertuples(), strict=True):
        image = cut(store.read(np.array([place]))[0], settings)
        with torch.inference_mode():
            shares, _ = network.shares(torch.from_numpy(image[None]).movedim(-1, 1))
        for name, share in zip(settings.classes, shares[0].numpy(), strict=True):
            truth = cut(masks[row.specimen_id][row.place], settings) >= LABELS[name]
            if truth.any():
                either = truth.sum() + (share >= 0.5).sum()
                dice = 2 * (truth & (share >= 0.5)).sum() / either
                found.append({"patient_id": row.patient_id, "class": name, "dice": float(dice)})
    table = pd.DataFrame(found)
    return {
        name: str(segmentation_metrics(own[["dice"]], group=own["patient_id"])["dice"])
        for name, own in table.groupby("class")
    }


def forward(name: str) -> None:
    """One input through the network of the paper."""
    system = find_system(name)
    network, (z, y, x) = system.build(system.settings, pretrained=False).eval(), system.settings.voxels
    start, shape = time.perf_counter(), (1, z, 1, y, x) if z > 1 else (1, system.settings.depth, y, x)
    with torch.inference_mode():
        logits = network(torch.rand(*shape)).logits
    parameters = sum(each.numel() for each in network.parameters())
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    shown = f"{tuple(logits.shape)} in {time.perf_counter() - start:.1f} s, {time.process_time():.0f} CPU-s"
    print(f"{name}: {parameters:,} parameters, {shown}, at most {gib:.2f} GiB")


if __name__ == "__main__":
    main()

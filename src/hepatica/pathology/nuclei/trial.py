"""Trial: a nuclear U-Net trained, locked and compared with the baseline on pictures that look like none it has seen."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from skimage.segmentation import mark_boundaries

from hepatica.cohort.atomic import read_json, replacing, write_text
from hepatica.cohort.errors import RunError
from hepatica.cohort.seal import seal, sealing, write_sealed
from hepatica.cohort.units import MicronsPerPixel
from hepatica.evaluate import Estimate
from hepatica.evaluate.estimate import undefined
from hepatica.evaluate.mean import mean_of
from hepatica.evaluate.patients import Patients
from hepatica.evaluate.segmentation.cases import segmentation_metrics
from hepatica.evaluate.segmentation.instances import measure_instances
from hepatica.learn import save_weights
from hepatica.pathology.nuclei.pictures import Picture, appearances, read_pictures, set_apart
from hepatica.pathology.nuclei.training import WEIGHTS, Finder, NucleiPlan, build_unet, fit_unet, open_finder
from hepatica.protocol.settings import as_plain

NAMES = {"dice": "Dice", "aji": "AJI", "pq": "PQ", "dq": "F1 at IoU 0.5", "sq": "Mean IoU of matched nuclei"}

SHOWN = 6
"""Test pictures drawn, evenly spread from the worst to the best by AJI (ours)."""


def train_nuclei(folder: Path, *, run: Path, plan: NucleiPlan, trainer: Mapping[str, Any] | None = None) -> Path:
    """Train on a folder of pictures (see `read_pictures`), lock, compare, draw; the model card. Resumes where stopped.

    Pictures for testing are set apart first, by appearance. Of `run`: nuclei.safetensors, the locked network;
    pictures.csv, which picture was for what; cases.csv and metrics.json, the comparison; overlays.png; card.md.
    """
    pictures = read_pictures(folder)
    groups = appearances(pictures)
    test = set_apart(groups, share=plan.test, seed=plan.seed)
    if not (run / "pictures.csv").exists() and run.is_dir() and any(run.iterdir()):
        raise RunError(f"{run} is not empty and holds no training of nuclei; choose a new or an empty folder")
    dealt = pd.DataFrame({"picture": [each.name for each in pictures], "appearance": groups, "test": test})
    with sealing(run / "pictures.csv") as temporary:
        dealt.to_csv(temporary, index=False)
    if not (run / WEIGHTS).exists():
        network = build_unet(width=plan.width, levels=plan.levels, seed=plan.seed)
        seen = [each for each, apart in zip(pictures, test, strict=True) if not apart]
        fit_unet(network, seen, plan, folder=run / "work", trainer=trainer)
        shape = {"width": plan.width, "levels": plan.levels, "mpp": plan.mpp}
        save_weights(network, run / WEIGHTS, note={"nuclei": shape, "plan": as_plain(plan)})
        seal(run / WEIGHTS)
    finders = [open_finder(run), Finder(mpp=MicronsPerPixel(plan.mpp))]
    apart = [each for each, chosen in zip(pictures, test, strict=True) if chosen]
    table = cases(apart, finders)
    with sealing(run / "cases.csv") as temporary:
        table.to_csv(temporary, index=False)
    found = compare(table, finders)
    write_sealed(
        run / "metrics.json", {name: {key: e.as_dict() for key, e in own.items()} for name, own in found.items()}
    )
    draw(apart, table, finders, path=run / "overlays.png")
    write_text(
        run / "card.md", card(found, dealt, pictures, plan=plan, digest=read_json(run / "digests.json")[WEIGHTS])
    )
    return run / "card.md"


def cases(pictures: Sequence[Picture], finders: Sequence[Finder]) -> pd.DataFrame:
    """One row a picture and finder: picture, finder, nuclei (true), found, and what `measure_instances` gives."""
    rows = []
    for picture in pictures:
        for finder in finders:
            labels = finder(picture.image)
            counts = {"nuclei": int(picture.labels.max()), "found": int(labels.max())}
            own = measure_instances(picture.labels, predicted=labels)
            rows.append({"picture": picture.name, "finder": finder.name} | counts | own)
    return pd.DataFrame(rows)


def compare(table: pd.DataFrame, finders: Sequence[Finder]) -> dict[str, dict[str, Estimate]]:
    """Means over pictures by finder, and of the paired differences between the first and the second."""
    by_finder = {each.name: table[table["finder"] == each.name].reset_index(drop=True) for each in finders}
    found = {name: segmentation_metrics(own[[*NAMES]]) for name, own in by_finder.items()}
    first, second = (own[[*NAMES]] for own in by_finder.values())
    return found | {"difference": {name: _mean((first - second)[name].dropna()) for name in NAMES}}


def _mean(apart: "pd.Series[float]") -> Estimate:
    if apart.empty:
        return undefined("no picture on which both found nuclei", n=0)
    return mean_of(np.asarray(apart, np.float64), Patients(count=len(apart)))


def draw(pictures: Sequence[Picture], table: pd.DataFrame, finders: Sequence[Finder], *, path: Path) -> None:
    """Pictures from the worst to the best by the first finder's AJI: true outlines, and those of each finder."""
    order = table[table["finder"] == finders[0].name].sort_values("aji", kind="stable")["picture"]
    chosen = order.iloc[np.unique(np.linspace(0, len(order) - 1, min(SHOWN, len(order))).round().astype(int))]
    own = {each.name: each for each in pictures}
    figure = Figure(figsize=(9.6, 2.7 * len(chosen)), dpi=120, layout="constrained")
    for panels, name in zip(figure.subplots(len(chosen), 3, squeeze=False), chosen, strict=True):
        picture = own[name]
        maps = {"outlined by experts": picture.labels} | {each.name: each(picture.image) for each in finders}
        for axes, (what, labels) in zip(panels, maps.items(), strict=True):
            axes.imshow(mark_boundaries(picture.image, labels, color=(1, 0.85, 0), mode="inner"))
            row = table[(table["picture"] == name) & (table["finder"] == what)]
            note = "".join(f", AJI {each:.2f}" for each in row["aji"])
            axes.set_title(f"{what}: {labels.max()} nuclei{note}", fontsize=8)
            axes.set_axis_off()
    with replacing(path) as temporary:
        figure.savefig(temporary)


def card(
    found: Mapping[str, Mapping[str, Estimate]],
    dealt: pd.DataFrame,
    pictures: Sequence[Picture],
    *,
    plan: NucleiPlan,
    digest: str,
) -> str:
    """The model card in Markdown."""
    header = [*list(found)[:2], "difference"]
    rows = [
        f"| {title} | " + " | ".join(str(own[name]) for own in found.values()) + " |" for name, title in NAMES.items()
    ]
    lines = [
        "# Nuclear U-Net: model card",
        "",
        "Finds nuclei on H&E sections: where they are, and where one ends and the next begins. Research use only.",
        "",
        _patients(dealt, pictures),
        "",
        f"| Mean over test pictures (95% interval) | {' | '.join(header)} |",
        "|---|" + "---|" * len(header),
        *rows,
        "",
        "Intervals rest on pictures; pictures of one slide are alike, so that they are too narrow where several come"
        " from one. Difference: of the same pictures.",
        "",
        f"Images are read at {plan.mpp:g} µm per pixel. Weights: {WEIGHTS}, SHA-256 {digest}.",
        "",
        "| Setting | Value |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in as_plain(plan).items()),
    ]
    return "\n".join(lines) + "\n"


def _patients(dealt: pd.DataFrame, pictures: Sequence[Picture]) -> str:
    """On what it was trained and tested, and whether the two look alike."""
    test, looks = dealt["test"].to_numpy(bool), dealt["appearance"]
    count = np.array([int(each.labels.max()) for each in pictures])
    said = (
        f"Trained on {(~test).sum()} pictures with {count[~test].sum()} nuclei, tested on {test.sum()} pictures with"
        f" {count[test].sum()}."
    )
    if set(looks[test]) & set(looks[~test]):
        return (
            f"{said} All pictures look alike: these numbers are of pictures like those of training, and pictures of"
            " another laboratory will be segmented worse."
        )
    return (
        f"{said} Their appearances ({looks[test].nunique()}) are absent from training: every test picture differs in"
        " colour from every training picture."
    )

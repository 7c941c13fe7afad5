"""Nuclei: the nuclear U-Net against the baseline on appearances left out one by one, and nuclei per second.

    HEPATICA_DATA=... .venv/bin/python benchmarks/nuclei.py speed
    HEPATICA_DATA=... .venv/bin/python benchmarks/nuclei.py appearances FOLDER

`speed` finds and measures the nuclei of 12 real pictures with an untrained network of the size of a trained one, whose
maps are replaced by those of the label maps, and prints nuclei a second of each step on one thread. StarDist and
Cellpose are not measured beside it: neither package contains its weights. `appearances` trains once for each appearance
of more than three pictures and tests on that one; three times about four minutes on one thread.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hepatica.evaluate.segmentation.cases import segmentation_metrics
from hepatica.pathology.nuclei.instances import baseline, part, targets
from hepatica.pathology.nuclei.measures import measure_nuclei
from hepatica.pathology.nuclei.pictures import appearances, read_pictures
from hepatica.pathology.nuclei.training import Finder, NucleiPlan, build_unet, fit_unet
from hepatica.pathology.nuclei.trial import NAMES, cases

DATA = Path(os.environ.get("HEPATICA_DATA", "")) / "pathology" / "dsb2018_he"


def speed() -> None:
    """Nuclei a second of network, separation, measuring, and of the baseline."""
    torch.set_num_threads(1)
    pictures = read_pictures(DATA)[:60:5]
    network = Finder(network=build_unet(width=8, levels=4, seed=0))
    maps = [targets(each.labels) for each in pictures]
    steps = {
        "U-Net of 8 channels": lambda n: network.maps(pictures[n].image[None]),
        "separation": lambda n: part(maps[n]),
        "18 measures": lambda n: measure_nuclei(pictures[n].image, pictures[n].labels, mpp=0.5),
        "haematoxylin-Otsu and watershed": lambda n: baseline(pictures[n].image),
    }
    count = sum(int(each.labels.max()) for each in pictures)
    for name, step in steps.items():
        step(0)
        start = time.process_time()
        for number in range(len(pictures)):
            step(number)
        spent = time.process_time() - start
        print(f"{name}: {count / spent:,.0f} nuclei/s, {len(pictures) * 256 * 320 / spent / 1e6:.2f} Mpixel/s")


def left_out(folder: Path) -> None:
    """Train without each appearance, test on it; a table of means with intervals over pictures."""
    pictures = read_pictures(DATA)
    groups = appearances(pictures)
    for group in [each for each in np.unique(groups) if (groups == each).sum() > 3]:
        seen = [each for each, own in zip(pictures, groups, strict=True) if own != group]
        network = build_unet(width=8, levels=4, seed=0)
        fit_unet(network, seen, NucleiPlan(), folder=folder / str(group))
        apart = [each for each, own in zip(pictures, groups, strict=True) if own == group]
        table = cases(apart, [Finder(network=network), Finder()])
        table.to_csv(folder / f"{group}.csv", index=False)
        found = {name: segmentation_metrics(own[[*NAMES]]) for name, own in table.groupby("finder")}
        print(f"\nappearance {group}: {len(apart)} pictures, trained on {len(seen)}")
        print(pd.DataFrame({name: {key: str(e) for key, e in own.items()} for name, own in found.items()}).to_string())


if __name__ == "__main__":
    speed() if sys.argv[1] == "speed" else left_out(Path(sys.argv[2]))

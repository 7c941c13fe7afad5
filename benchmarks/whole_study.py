"""Whole study: a CT study from files to results, against the least it could take: its decoding and its networks.

Run: .venv/bin/python benchmarks/whole_study.py [--slices 1000] [--phases 4]

Writes a phantom's study of `--slices` slices of 512 x 512 in all, JPEG 2000 lossless. The whole is what
`hepatica predict` does with it: sort, decode, find liver and phase, resize, both ResNet-34 at 224 pixels on every slice
of the liver, pictures and DICOM results; process start-up aside. The ceilings are decoding all slices alone
(`read_volume`) and both networks' forward passes alone over as many slices as were read. Aim: whole / (decoding +
networks) at most 1.15. Weights are random: they do not change the time.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pydicom
import torch
from pydicom.uid import JPEG2000Lossless

from hepatica.learn import Arrays, infer
from hepatica.protocol import ModelIdentity
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.dicom.volume import read_volume
from hepatica.radiology.phantom import PhantomSettings, phantom_ct
from hepatica.runs.inputs import read_inputs
from hepatica.systems.wang_2021_hccnet import READ_AT_ONCE, SYSTEM

SIDE = 512


def write_study(folder: Path, *, slices: int, phases: int) -> Path:
    """A phantom's study, compressed."""
    settings = PhantomSettings(matrix=SIDE, slices=slices // phases, thickness_mm=160 * phases / slices)
    cohort = phantom_ct(folder / "cohort", patients=1, settings=settings)
    study = folder / "study"
    with ZipFile(next((cohort / "studies").glob("*.zip"))) as archive:
        archive.extractall(study)
    for path in study.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        if int(dataset.SeriesNumber) > phases:
            path.unlink()
            continue
        dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
        dataset.save_as(path)
    return study


def seconds(call: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def predict(study: Path, folder: Path) -> int:
    """All that `hepatica predict` does with one study; how many slices the networks read."""
    settings = replace(SYSTEM.settings, weights="random")
    network = SYSTEM.build(settings, pretrained=False)
    cohort = read_inputs([study], modality="ct")
    (specimen,) = cohort.specimens
    slices = SYSTEM.prepare(cohort, settings, folder / "prepared")
    inference = SYSTEM.read(network, slices, settings)
    model = ModelIdentity(system=SYSTEM.name, version="0", digest="0", doi=SYSTEM.paper.doi, note="benchmark")

    def saliency(images: np.ndarray) -> np.ndarray:
        return SYSTEM.explain(network, images)

    assert SYSTEM.first.draw is not None
    assert SYSTEM.deliver is not None
    SYSTEM.first.draw(
        specimen, material=slices, regions=inference.regions, saliency=saliency, stem=folder / "a", note="benchmark",
        meaning=SYSTEM.meaning,
    )  # fmt: skip
    SYSTEM.deliver(
        specimen, material=slices, inference=inference, settings=settings, cutoffs={"hcc": 0.5}, saliency=saliency,
        model=model, folder=folder / "dicom",
    )  # fmt: skip
    return len(slices)


def main() -> None:
    """Time the whole, then its two ceilings, and print their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=1000)
    parser.add_argument("--phases", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        study = write_study(Path(made), slices=options.slices, phases=options.phases)
        read: list[int] = []
        whole = seconds(lambda: read.append(predict(study, Path(made, "out"))))
        decoding = seconds(lambda: [read_volume(each) for each in read_study(study).series])
        network = SYSTEM.build(replace(SYSTEM.settings, weights="random"), pretrained=False)
        images = Arrays(values=np.zeros((read[0], 224, 224, 3), np.uint8))
        forward = seconds(
            lambda: infer(network, images, batch=READ_AT_ONCE, label="", outputs=lambda read: read["hcc"])
        )
    print(
        f"study of {options.slices} slices, {read[0]} of them read: whole {whole:.1f} s, decoding {decoding:.1f} s,"
        f" networks {forward:.1f} s, ratio {whole / (decoding + forward):.3f}"
        f" ({torch.get_num_threads()} threads; aim <= 1.15)"
    )


if __name__ == "__main__":
    main()

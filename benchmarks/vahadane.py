"""Vahadane: our stain normalisation against TIAToolbox's, on the same 64 real patches in the same run.

    HEPATICA_DATA=... .venv/bin/python benchmarks/vahadane.py

Prints patches a second, with the stain matrix learnt from each patch and with one matrix for the slide, and how far the
learnt stains are from the exact optimum of the penalised objective. TIAToolbox gets an environment of its own on the
first run (6 GB, minutes).
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openslide
from einops import rearrange
from peers import environment
from scipy.optimize import minimize

from hepatica.pathology.stain import REFERENCE, StainFit, StainSettings, concentrations, fit, normalise, tissue_density
from hepatica.pathology.stain import objective as penalised

DATA = Path(os.environ.get("HEPATICA_DATA", "")) / "pathology"
PATCHES, SIDE, ROUNDS = 64, 224, 5
SETTINGS = StainSettings()

PEER = """
import sys, time
import numpy as np
from PIL import Image
from tiatoolbox.tools.stainnorm import CustomNormalizer, VahadaneNormalizer

patches, target = np.load(sys.argv[1]), np.asarray(Image.open(sys.argv[2]).convert("RGB"))
each = VahadaneNormalizer()
each.fit(target.copy())
fixed = CustomNormalizer(each.stain_matrix_target)
fixed.fit(target.copy())
for normaliser in (each, fixed):
    normaliser.transform(patches[0].copy())
    start = time.perf_counter()
    for patch in patches:
        normaliser.transform(patch.copy())
    print(len(patches) / (time.perf_counter() - start))
"""
"""What TIAToolbox is asked; it writes into its input, so it gets copies. Its fixed matrix is a CustomNormalizer."""


def real_patches() -> np.ndarray:
    """The patches of the real slide's grid with most tissue: (64, 224, 224, 3) uint8."""
    with openslide.OpenSlide(DATA / "CMU-1-Small-Region.svs") as slide:
        image = np.asarray(slide.read_region((0, 0), 0, slide.dimensions).convert("RGB"))
    high, wide = image.shape[0] // SIDE, image.shape[1] // SIDE
    grid = rearrange(image[: high * SIDE, : wide * SIDE], "(y h) (x w) c -> (y x) h w c", h=SIDE, w=SIDE)
    return grid[np.argsort((grid.mean(-1) >= 220).mean((1, 2)), kind="stable")[:PATCHES]]


def speed(work: Callable[[], object]) -> float:
    """Patches a second, median of some rounds after one to warm up."""
    work()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return PATCHES / float(np.median(times))


def matrix_per_patch(patches: np.ndarray) -> None:
    """Learn each patch's own stains, then normalise it."""
    for patch in patches[:, None]:
        normalise(patch, source=fit(patch, settings=SETTINGS), target=REFERENCE, settings=SETTINGS)


def optimum(density: np.ndarray, *, starts: int = 4) -> float:
    """Least penalised objective from several random starts, by another optimiser than ours (L-BFGS-B, float64)."""

    def value_and_slope(flat: np.ndarray) -> tuple[float, np.ndarray]:
        rows = rearrange(flat, "(stain c) -> stain c", c=3)
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        matrix = rows / length
        found = concentrations(density, matrix, sparsity=SETTINGS.sparsity)
        slope = -found.T @ (density - found @ matrix) / len(density)
        slope -= (slope * matrix).sum(1, keepdims=True) * matrix
        return penalised(density, matrix, found, sparsity=SETTINGS.sparsity), rearrange(slope / length, "s c -> (s c)")

    generator = np.random.default_rng(0)
    options = {"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-10}
    runs = [
        minimize(
            value_and_slope, generator.random(6), jac=True, method="L-BFGS-B", bounds=[(0, 10)] * 6, options=options
        )
        for _ in range(starts)
    ]
    return min(float(run.fun) for run in runs)


def excess(tiles: np.ndarray) -> float:
    """Our penalised objective over the optimum, minus 1."""
    density = tissue_density(tiles, settings=SETTINGS)[: SETTINGS.samples]
    matrix = fit(tiles, settings=SETTINGS).matrix
    found = concentrations(density, matrix, sparsity=SETTINGS.sparsity)
    return penalised(density, matrix, found, sparsity=SETTINGS.sparsity) / optimum(density) - 1


def peer_speeds(patches: np.ndarray) -> tuple[float, float]:
    """TIAToolbox's patches a second: with the matrix of each patch, and with a fixed one."""
    python = environment("tiatoolbox", "tiatoolbox==2.1.3")
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/patches.npy", patches)
        words = [python, "-c", PEER, f"{folder}/patches.npy", DATA / "tiatoolbox_target_image.png"]
        each, fixed = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()[-2:]
    return float(each), float(fixed)


def main() -> None:
    """Measure both sides on the same patches and print one line a ratio."""
    if not DATA.is_dir():
        sys.exit("set HEPATICA_DATA to the folder of the real data")
    patches = real_patches()
    slide: StainFit = fit(patches, settings=SETTINGS)
    peer_each, peer_fixed = peer_speeds(patches)
    each = speed(lambda: matrix_per_patch(patches))
    fixed = speed(lambda: normalise(patches, source=slide, target=REFERENCE, settings=SETTINGS))
    worst = max(excess(patch) for patch in [patches, *patches[:: PATCHES // 16]])
    peer = "of TIAToolbox 2.1.3 VahadaneNormalizer"
    print(f"matrix per patch: {each:.0f} patches/s, {peer_each:.2f} {peer}: {each / peer_each:.1f}x (aim 6x)")
    print(f"fixed slide matrix: {fixed:.0f} patches/s, {peer_each:.2f} {peer}: {fixed / peer_each:.0f}x (aim 20x)")
    print(
        f"fixed on both sides: {fixed:.0f} patches/s, {peer_fixed:.1f} of CustomNormalizer: {fixed / peer_fixed:.1f}x"
    )
    print(f"penalised objective over the optimum, worst of slide and 16 patches: +{100 * worst:.3f} % (aim 1 %)")


if __name__ == "__main__":
    main()

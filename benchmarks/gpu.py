"""GPU: what one card reaches in 8 minutes, training and describing, as shares of its own bf16 ceiling.

Run: .venv/bin/python benchmarks/gpu.py [--minutes 8]
Try it out without a GPU, in minutes and with numbers that mean nothing: .venv/bin/python benchmarks/gpu.py --dry

In turn, and each begun only while minutes are left; what was left out is named:

- "training": `gpu_paper_001.py`'s variants on a quarter of its tiles: bare loop and `fit`, float32 and bf16, channels
  last and not, eager and compiled, as ratios to the bare loop and shares of the measured bf16 ceiling.
- "features": tiles a second of a ViT-L of random weights, by hepatica's `infer` in float32, as `hepatica features`
  computes, and by a bare loop in float32 and in bf16; tiles lie on the GPU.
- "spectra": `gpu_paper_003.py`'s table of the qCNN.

A compilation that goes on beyond the minutes is not cut off: start it under `timeout 540`. Untested on a GPU; on a CPU
`--dry` ran. Each of the two scripts goes deeper alone.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import gpu_paper_003
import numpy as np
import torch
from gpu_paper_001 import DEVICE, GPU, TINY, TINY_SETTINGS, ceiling, now, prepare
from phantom_tiles import Size
from torch.utils.flop_counter import FlopCounterMode

from hepatica.learn import Arrays, OnDevice, infer
from hepatica.learn.images import as_images
from hepatica.pathology.features.encoder import build_encoder
from hepatica.spectroscopy.networks.qcnn import build_qcnn
from hepatica.spectroscopy.networks.qcnn_training import scale_targets
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.simulation.simulated_samples import HELD_OUT, SimulatedSamples
from hepatica.systems.li_2025_cnn_sasm import Settings

QUARTER = Size(patients=92, images=181)
"""Of the patients and images of paper 001."""


def training(*, dry: bool) -> None:
    """Ways to train CNN-SASM."""
    size, settings = (TINY, TINY_SETTINGS) if dry else (QUARTER, Settings())
    prepare(size, settings, epochs=1 if dry else 2).variants()


@torch.inference_mode()
def features(*, dry: bool) -> None:
    """Ways to describe tiles."""
    name, count, batch = ("vit_tiny_patch16_224", 8, 4) if dry else ("vit_large_patch16_224", 2048, 256)
    network = build_encoder(name, weights="random").to(DEVICE)
    pixels = np.random.default_rng(0).integers(0, 256, (count, 224, 224, 3), np.uint8)
    tiles = OnDevice.copy(Arrays(values=pixels), device=DEVICE)
    with FlopCounterMode(display=False) as counter:
        network(as_images(tiles.values[:1]))
    share = counter.get_total_flops() / ceiling()

    def bare(*, bf16: bool) -> None:
        for part in tiles.values.split(batch):
            with torch.autocast(DEVICE, torch.bfloat16, enabled=bf16):
                network(as_images(part))

    ways: dict[str, Callable[[], object]] = {
        "infer, float32": lambda: infer(network, tiles, batch=batch, label="tiles", device=DEVICE),
        "bare loop, float32": lambda: bare(bf16=False),
        "bare loop, bf16": lambda: bare(bf16=True),
    }
    for way, call in ways.items():
        rate = count / statistics.median(seconds(call, rounds=4)[1:])
        print(f"{name}, {way:20} {rate:10,.0f} tiles/s {f'{rate * share:6.1%} of the bf16 ceiling' if GPU else ''}")


def seconds(call: Callable[[], object], *, rounds: int) -> list[float]:
    """Of each of the rounds, the first of which warms up."""
    moments = [now()]
    for _ in range(rounds):
        call()
        moments.append(now())
    return np.diff(moments).tolist()


def spectra(*, dry: bool) -> None:
    """The qCNN of paper 003."""
    plan = gpu_paper_003.TINY if dry else replace(gpu_paper_003.BIG, per_epoch=131_072)
    network, simulated = build_qcnn(plan), SimulatedSamples(priors=read_priors(), model=plan.model, seed=plan.seed)
    bound = scale_targets(network.scales, simulated.other(HELD_OUT).at(np.arange(plan.held_out)), model=plan.model)
    gpu_paper_003.table(gpu_paper_003.Bench(plan=plan, simulated=simulated, network=network, bound=bound), epochs=1)


def main() -> None:
    """Print all that there is time for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=8, help="after which nothing more is begun")
    parser.add_argument("--dry", action="store_true", help="tiny sizes, also without a GPU")
    options = parser.parse_args()
    if not GPU and not options.dry:
        parser.exit(1, "no GPU is here, and a CPU would take days; try the script out with --dry\n")
    device = torch.cuda.get_device_name() if GPU else "no GPU is here, so these numbers mean nothing"
    print(f"{device}; torch {torch.__version__}", flush=True)
    begun = time.perf_counter()
    for part in (training, features, spectra):
        if time.perf_counter() - begun > 60 * options.minutes:
            print(f"{part.__name__}: left out, {options.minutes} minutes are over")
            continue
        part(dry=options.dry)
        print(f"{part.__name__}: done after {(time.perf_counter() - begun) / 60:.1f} min", flush=True)


if __name__ == "__main__":
    main()

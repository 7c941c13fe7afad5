"""Two hospitals: how studies on phantoms of two hospitals begin: their options, and the networks of papers run once."""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from hepatica.systems import find_system

Run = Callable[..., None]
"""Of the name of a system, what was given, and `folder`."""


def study(about: str, run: Run, **numbers: int) -> None:
    """Read the options, of which `numbers` have these defaults, and run each system, or with `--full` its network."""
    arguments = argparse.ArgumentParser(description=about.splitlines()[0])
    arguments.add_argument("systems", nargs="+")
    for name, usual in numbers.items():
        arguments.add_argument(f"--{name.replace('_', '-')}", type=int, default=usual)
    arguments.add_argument("--set", action="append", default=[], metavar="name=value", help="settings, as in TOML")
    arguments.add_argument("--full", action="store_true", help="the paper's network alone, forward once")
    arguments.add_argument("--folder", type=Path, help="keeps phantoms, what is prepared of them, and runs")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for name in given.systems:
            if given.full:
                forward(name)
            else:
                run(name, given, folder=given.folder or Path(temporary))


def forward(name: str) -> None:
    """Two inputs through the network of the paper."""
    system = find_system(name)
    settings = system.settings
    network = system.build(settings, pretrained=False).eval()
    start = time.perf_counter()
    with torch.inference_mode():
        logits = network(torch.rand(2, *shape(settings))).logits
    parameters = sum(each.numel() for each in network.parameters())
    print(f"{name}: {parameters:,} parameters, {tuple(logits.shape)} in {time.perf_counter() - start:.1f} s")


def shape(settings) -> tuple[int, ...]:
    """Of one input: a tile, a slice of several phases, or a solid crop of them."""
    if not hasattr(settings, "voxels"):
        return (3, settings.side, settings.side)
    z, y, x = settings.voxels
    phases = len(settings.phases)
    return (phases, y, x) if z == 1 else (z, phases, y, x)

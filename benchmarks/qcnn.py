"""qCNN: spectra a second and core, of the networks alone and with all that `hepatica quantify` tells of a spectrum.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/qcnn.py

One core: torch gets one thread. Spectra are simulated ones of 1,024 points (priors.toml, all effects), the networks
those of `QcnnPlan` with random weights, which do not change the time. Each figure is the median of ROUNDS rounds over
SPECTRA spectra; rounds take turns. "Networks" begins with complex spectra in memory and ends with calibrated
concentrations and standard deviations in memory; "with bounds" adds the Cramer-Rao bounds and flags; "training" is a
step of forward, backward and Adam on batches of the plan. Aim: 2,000 spectra a second and core.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from einops import rearrange

from hepatica.learn.images import channels_last
from hepatica.learn.losses import gaussian_nll
from hepatica.spectroscopy.networks.network_input import as_network_values
from hepatica.spectroscopy.networks.qcnn import Qcnn, build_qcnn
from hepatica.spectroscopy.networks.qcnn_quantify import measured, qcnn, qcnn_gn
from hepatica.spectroscopy.networks.qcnn_training import QcnnPlan, scale_targets, targets
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.simulation.simulated_samples import SimulatedSamples

ROUNDS, SPECTRA, FITTED = 7, 4096, 256
AIM = 2_000


def training(network: Qcnn, plan: QcnnPlan, samples: SimulatedSamples) -> Callable[[], int]:
    """Steps over SPECTRA spectra that lie in memory."""
    drawn = samples.at(np.arange(SPECTRA))
    bound = scale_targets(network.scales, drawn, model=samples.model)
    images = torch.from_numpy(as_network_values(drawn.values))
    wanted = torch.from_numpy(targets(drawn, scales=network.scales, bound=bound))
    member = channels_last(network.members[0]).train()
    adam = torch.optim.Adam(member.parameters(), lr=plan.learning_rate)

    def steps() -> int:
        for rows in torch.arange(SPECTRA).split(plan.batch):
            batch = rearrange(images[rows], "b h w c -> b c h w").contiguous(memory_format=torch.channels_last)
            adam.zero_grad()
            gaussian_nll(member(batch).estimates, wanted[rows]).backward()
            adam.step()
        return SPECTRA

    return steps


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    plan, priors = QcnnPlan(), read_priors()
    samples = SimulatedSamples(priors=priors, model=plan.model, seed=1)
    drawn, few = samples.at(np.arange(SPECTRA)), samples.at(np.arange(FITTED))
    ensemble, alone = build_qcnn(plan), build_qcnn(replace(plan, members=1))
    known = {"network": ensemble, "model": plan.model, "priors": priors, "noise_sd": few.noise_sd}
    runs: dict[str, Callable[[], int]] = {
        f"networks, {plan.members} members": lambda: len(measured(ensemble, drawn.values).value),
        "networks, 1 member": lambda: len(measured(alone, drawn.values).value),
        f"with bounds, {plan.members} members": lambda: len(qcnn(few.values, **known).concentration),
        f"with Gauss-Newton, {plan.members} members": lambda: len(qcnn_gn(few.values, **known).concentration),
        "simulation": lambda: len(samples.at(np.arange(SPECTRA)).values),
        "training, 1 member": training(build_qcnn(replace(plan, members=1)), plan, samples),
    }
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS + 1):
        for name, run in runs.items():
            begun = time.perf_counter()
            count = run()
            seconds[name].append((time.perf_counter() - begun) / count)
    parameters = sum(each.numel() for each in alone.parameters())
    print(f"one thread; {parameters:,} parameters a member; medians of {ROUNDS} rounds after one to warm up")
    for name, each in seconds.items():
        rate = 1 / statistics.median(each[1:])
        met = f"   aim {AIM:,}: {'met' if rate >= AIM else 'missed'}" if name.startswith("networks") else ""
        print(f"{name:32} {rate:9,.0f} spectra/s{met}")


if __name__ == "__main__":
    main()

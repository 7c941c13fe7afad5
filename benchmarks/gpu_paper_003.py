"""GPU at the scale of paper 003: a qCNN trained on fresh simulated spectra, `fit` against a bare PyTorch loop.

Run: .venv/bin/python benchmarks/gpu_paper_003.py [--epochs 3] [--per-epoch 512000] [--batch 1024]
Train one to keep: .venv/bin/python benchmarks/gpu_paper_003.py --keep FOLDER [--epochs 100]
Try it out without a GPU, in a minute: .venv/bin/python benchmarks/gpu_paper_003.py --tiny

Paper: Bae et al., Magn Reson Med Sci 2025, doi 10.2463/mrms.mp.2025-0064, "big spectral datasets"; how big is not
public. Every epoch simulates its own spectra, on the processor, in as many processes as the loader takes (8 at most);
so either the simulation or the network is what an epoch waits for, and the table tells which:

- "simulation" is the loader alone, no network behind it.
- "fit" are whole epochs of hepatica's `fit`, checkpoint and all, in bf16 where the GPU has it.
- "bare loop" are steps of forward, backward and Adam on spectra that lie on the GPU: what `fit` could reach at most.
- "inference" is the ensemble on spectra that lie on the GPU, float32, as `hepatica quantify` computes.

An epoch's seconds are the median of `--epochs` epochs after one to warm up. `--keep` trains the whole plan instead,
writes the networks with their calibration to FOLDER/qcnn.safetensors, and prints coverage on spectra that neither
training nor calibration saw. Spectra are simulated throughout. Untested on a GPU; on a CPU `--tiny` ran.
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from gpu_paper_001 import EpochEnds

from hepatica.learn import save_weights
from hepatica.learn.fit import fit
from hepatica.learn.images import channels_last
from hepatica.learn.losses import gaussian_nll
from hepatica.learn.samples import Onward, loader
from hepatica.spectroscopy.networks.network_input import as_network_values
from hepatica.spectroscopy.networks.qcnn import Qcnn, build_qcnn
from hepatica.spectroscopy.networks.qcnn_quantify import measured
from hepatica.spectroscopy.networks.qcnn_training import QcnnPlan, fresh, scale_targets, targets, train_qcnn
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.simulation.simulated_samples import HELD_OUT, SimulatedSamples

GPU = torch.cuda.is_available()
DEVICE = "cuda" if GPU else "cpu"

BIG = QcnnPlan(members=5, width=32, depth=2, hidden=1024, per_epoch=512_000, held_out=20_000, epochs=100, batch=1024)
TINY = QcnnPlan(members=2, width=4, hidden=32, signature=16, per_epoch=2048, held_out=512, epochs=2, batch=256)

RESIDENT = 65_536
"""Spectra that lie on the device for the bare loop and inference."""


def now() -> float:
    """Tell the time when the device has done all that it was given."""
    if GPU:
        torch.cuda.synchronize()
    return time.perf_counter()


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What the lines of the table are made with."""

    plan: QcnnPlan
    simulated: SimulatedSamples
    network: Qcnn
    bound: np.ndarray

    def simulation(self, *, epochs: int) -> float:
        """Spectra a second of the loader alone."""
        samples = fresh(self.simulated, scales=self.network.scales, bound=self.bound, count=self.plan.per_epoch)
        order = Onward(len(samples))
        batches = loader(samples, samples, batch=self.plan.batch, sampler=order)
        moments = [now()]
        for epoch in range(epochs + 1):
            order.set_epoch(epoch)
            for _ in batches:
                pass
            moments.append(now())
        return self.plan.per_epoch / statistics.median(np.diff(moments)[1:])

    def fitting(self, *, epochs: int) -> float:
        """Spectra a second of `fit`."""
        ends, plan = EpochEnds(), replace(self.plan, epochs=epochs + 1)
        samples = fresh(self.simulated, scales=self.network.scales, bound=self.bound, count=plan.per_epoch)
        member = build_qcnn(plan).members[0]
        with tempfile.TemporaryDirectory() as folder:
            flags = {"accelerator": DEVICE, "profiler": ends}
            fit(member, samples, plan, folder=Path(folder), label="benchmark", loss=gaussian_nll, trainer=flags)
        return plan.per_epoch / statistics.median(np.diff(ends.moments))

    def bare(self, images: torch.Tensor, wanted: torch.Tensor, *, epochs: int) -> float:
        """Spectra a second of the shortest loop there is, all on the device."""
        member = channels_last(build_qcnn(self.plan).members[0]).to(DEVICE).train()
        adam = torch.optim.Adam(member.parameters(), lr=self.plan.learning_rate)
        moments = []
        for _ in range(epochs + 1):
            for rows in torch.randperm(len(images), device=DEVICE).split(self.plan.batch):
                with torch.autocast(DEVICE, torch.bfloat16, enabled=GPU):
                    loss = gaussian_nll(member(images[rows]).estimates.float(), wanted[rows])
                adam.zero_grad()
                loss.backward()
                adam.step()
            moments.append(now())
        return len(images) / statistics.median(np.diff(moments))

    @torch.inference_mode()
    def inference(self, images: torch.Tensor, *, epochs: int) -> float:
        """Spectra a second of the whole ensemble, on the device."""
        network = channels_last(build_qcnn(self.plan)).to(DEVICE).eval()
        moments = [now()]
        for _ in range(epochs + 1):
            for part in images.split(8192):
                network(part)
            moments.append(now())
        return len(images) / statistics.median(np.diff(moments)[1:])


def table(bench: Bench, *, epochs: int) -> None:
    """Print a line for each."""
    drawn = bench.simulated.at(np.arange(min(RESIDENT, bench.plan.per_epoch)))
    images = rearrange(torch.from_numpy(as_network_values(drawn.values)).to(DEVICE), "b h w c -> b c h w")
    images = images.contiguous(memory_format=torch.channels_last)
    wanted = torch.from_numpy(targets(drawn, scales=bench.network.scales, bound=bench.bound)).to(DEVICE)
    rates = {
        "simulation": bench.simulation(epochs=epochs),
        "fit": bench.fitting(epochs=epochs),
        "bare loop, 1 member": bench.bare(images, wanted, epochs=max(epochs, 2)),
        f"inference, {bench.plan.members} members": bench.inference(images, epochs=max(epochs, 2)),
    }
    for name, rate in rates.items():
        print(f"{name:24} {rate:12,.0f} spectra/s")


def keep(bench: Bench, folder: Path) -> None:
    """Train the whole plan, calibrate, save, and count how often intervals hold."""
    begun = now()
    print(train_qcnn(bench.network, bench.simulated, bench.plan, folder=folder, trainer={"accelerator": DEVICE}))
    save_weights(bench.network, folder / "qcnn.safetensors", note={"priors": bench.simulated.priors.digest})
    print(f"trained in {(now() - begun) / 60:.1f} min")
    drawn = bench.simulated.other(HELD_OUT + 1).at(np.arange(4096))
    found = measured(bench.network, drawn.values)
    held = (np.abs(found.value - drawn.truth) < 1.96 * found.sd).mean(axis=0)
    error = np.sqrt(((found.value - drawn.truth) ** 2).mean(axis=0)) / drawn.truth.std(axis=0)
    for name, one, other in zip(bench.plan.model.names, held, error, strict=False):
        print(f"{name:6} intervals hold {one:.3f}, error {other:.3f} of the spread")


def main() -> None:
    """Print the table, or train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, help="epochs to time, by default 3; with --keep those of the training")
    parser.add_argument("--per-epoch", type=int, help="spectra an epoch")
    parser.add_argument("--batch", type=int, help="spectra of one step")
    parser.add_argument("--keep", type=Path, help="train the whole plan into this folder")
    parser.add_argument("--tiny", action="store_true", help="a few spectra and a narrow network, to try it out")
    options = parser.parse_args()
    if not GPU and not options.tiny:
        parser.exit(1, "no GPU is here, and a CPU would take days; try the script out with --tiny\n")
    changes = {"per_epoch": options.per_epoch, "batch": options.batch, "epochs": options.keep and options.epochs}
    plan = replace(TINY if options.tiny else BIG, **{name: value for name, value in changes.items() if value})
    print(f"{torch.cuda.get_device_name() if GPU else 'no GPU: these numbers mean nothing'}; torch {torch.__version__}")
    network, simulated = build_qcnn(plan), SimulatedSamples(priors=read_priors(), model=plan.model, seed=plan.seed)
    bound = scale_targets(network.scales, simulated.other(HELD_OUT).at(np.arange(plan.held_out)), model=plan.model)
    print(
        f"{sum(each.numel() for each in network.members[0].parameters()):,} parameters a member, {plan.members} members"
    )
    bench = Bench(plan=plan, simulated=simulated, network=network, bound=bound)
    if options.keep:
        keep(bench, options.keep)
    else:
        table(bench, epochs=options.epochs or (1 if options.tiny else 3))


if __name__ == "__main__":
    main()

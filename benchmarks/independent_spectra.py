"""Independent spectra: do reported concentrations hold what their intervals claim, where the model is not quite right?

    .venv/bin/python benchmarks/independent_spectra.py [--spectra 120] [--seed 0] [--run RUN_OF_BAE_2025_QCNN]

The simulator shares the tables of chemical shifts and couplings with hepatica, and nothing of its signal model: spins
one by one in Kronecker products, an echo of its own timing, a skewed line shape, broad humps below, residual water,
relaxation times and water content that differ from patient to patient, and fat whose fraction is known to a tenth.
Spectrum and water are written as NIfTI-MRS and quantified as a user's files are. Printed of each quantity: in how many
spectra a value was reported, of these the share whose 95 % interval holds the truth, the median ratio to the truth, and
how many are wrong by a factor above 2; and the same of all.
"""

import argparse
import tempfile
from functools import reduce
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hepatica.runs.quantified import Quantification, quantified
from hepatica.spectroscopy.basis.spin_system import SpinGroup, lipids, spin_systems
from hepatica.spectroscopy.reading.nifti_mrs import write_nifti_mrs
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.targets import LIPIDS5, METABOLITES15, SUMS

Complex = NDArray[np.complex128]
Drawn = dict[str, float]

TYPICAL_MM = {
    "Ala": 1.0, "Bet": 2.0, "Cho": 0.3, "Cr": 0.5, "Glc": 5.0, "Gln": 3.0, "Glu": 3.0, "Gly": 1.0, "Glycg": 15.0,
    "GPC": 1.5, "GSH": 2.5, "Ins": 0.7, "Lac": 1.5, "PCh": 0.7, "Tau": 1.5,
}  # fmt: skip
SPREAD = 0.4
"""SD of the logarithm of each, between patients (ours, as are all numbers of this file)."""

WATER_MM, ACQUISITION = 41_400.0, Acquisition()
HALF = np.array([[0, 1], [1, 0]]) / 2, np.array([[0, -1j], [1j, 0]]) / 2, np.diag([0.5, -0.5])


def operators(n: int) -> tuple[list[Complex], list[Complex], list[Complex]]:
    """x, y and z of each of n spins one half."""
    eye = [np.eye(2)] * n
    each = [[reduce(np.kron, [*eye[:i], part, *eye[i + 1 :]]) for i in range(n)] for part in HALF]
    return each[0], each[1], each[2]


def echo(group: SpinGroup, *, first_s: float, time: NDArray[np.float64]) -> Complex:
    """The decay of one group after 90x - first / 2 - 180y - TE / 2 - 180y - (TE - first) / 2, without relaxation."""
    sites = [site for site, count in enumerate(group.nuclei) for _ in range(count)]
    hz = np.array([(group.shifts_ppm[site] - 4.65) * ACQUISITION.f0_mhz for site in sites])
    if not group.couplings:
        return np.exp(2j * np.pi * np.outer(hz, time)).sum(axis=0) * group.share
    x, y, z = operators(len(sites))
    coupling = {frozenset(pair[:2]): pair[2] for pair in group.couplings}
    energy = sum(h * own for h, own in zip(hz, z, strict=True))
    for i in range(len(sites)):
        for j in range(i):
            strength = coupling.get(frozenset((sites[i], sites[j])), 0.0) if sites[i] != sites[j] else 0.0
            energy = energy + strength * (x[i] @ x[j] + y[i] @ y[j] + z[i] @ z[j])
    level, states = np.linalg.eigh(energy)
    refocus = reduce(np.kron, [np.array([[0, -1], [1, 0]])] * len(sites))
    rho, total_s = sum(x) + 0j, ACQUISITION.te_ms / 1000
    for wait in (first_s / 2, total_s / 2, (total_s - first_s) / 2):
        turn = (states * np.exp(-2j * np.pi * level * wait)) @ states.conj().T
        rho = turn @ rho @ turn.conj().T
        if wait != (total_s - first_s) / 2:
            rho = refocus @ rho @ refocus.T
    seen = states.conj().T @ (sum(x) + 1j * sum(y)) @ states
    weight = seen.T * (states.conj().T @ rho @ states)
    moved = level[:, None] - level[None, :]
    kept = np.abs(weight) > 1e-7 * np.abs(weight).max()
    bins, place = np.unique(np.round(moved[kept], 2), return_inverse=True)
    amplitude = np.bincount(place, weight[kept].real) + 1j * np.bincount(place, weight[kept].imag)
    signal = np.exp(-2j * np.pi * np.outer(time, bins)) @ amplitude
    return group.share * signal * sum(group.nuclei) / abs(np.trace((sum(x) + 1j * sum(y)) @ sum(x)))


def gaussian(ppm: float, fwhm_ppm: float, time: NDArray[np.float64]) -> Complex:
    """A Gaussian line of amplitude 1."""
    width = fwhm_ppm * ACQUISITION.f0_mhz
    away = (ppm - 4.65) * ACQUISITION.f0_mhz
    return np.exp(2j * np.pi * away * time - (np.pi * width * time) ** 2 / (4 * np.log(2)))


def decays(first_s: float) -> dict[str, Complex]:
    """1 mM of each metabolite and lipid line."""
    time, made = ACQUISITION.time_s, {}
    for name, system in {**spin_systems(), **lipids()}.items():
        if name in METABOLITES15 or name in LIPIDS5:
            groups = [echo(group, first_s=first_s, time=time) for group in system.groups]
            lines = [each.protons * gaussian(each.ppm, each.fwhm_ppm, time) for each in system.lines]
            made[name] = np.sum([*groups, *lines], axis=0)
    return made


def relaxed(t1: float, t2: float) -> float:
    """What TR and TE leave."""
    return float((1 - np.exp(-(ACQUISITION.tr_ms or np.inf) / t1)) * np.exp(-ACQUISITION.te_ms / t2))


def patient(rng: np.random.Generator, one_mm: dict[str, Complex]) -> tuple[Complex, Complex, Drawn, float]:
    """Decay, that of the water, the truth in mM, and the fraction of fat as another sequence would measure it."""
    time, fat = ACQUISITION.time_s, float(np.exp(rng.uniform(np.log(0.01), np.log(0.15))))
    truth = {name: float(mm * np.exp(rng.normal(0, SPREAD))) for name, mm in TYPICAL_MM.items()}
    triglyceride = fat / (1 - fat) * 2 * WATER_MM * (1 - fat) / 102.86
    truth |= {name: float(triglyceride * np.exp(rng.normal(0, 0.15))) for name in LIPIDS5}
    share, away, width = rng.uniform(0.05, 0.3), rng.uniform(-14, 14), rng.uniform(6, 15)
    shape = (1 - share) + share * np.exp(2j * np.pi * away * time)
    shape = shape * np.exp(-((np.pi * width * time) ** 2) / (4 * np.log(2)))
    decay = np.zeros(len(time), complex)
    for name, mm in truth.items():
        lipid = name in LIPIDS5
        t1, t2 = (382 * rng.normal(1, 0.1), 68 * rng.normal(1, 0.1)) if lipid else (
            1100 * rng.normal(1, 0.15), 100 * rng.normal(1, 0.15))  # fmt: skip
        own = np.exp(2j * np.pi * rng.normal(0, 0.7) * time - np.pi * rng.uniform(3, 7) * time)
        decay += mm * relaxed(t1, t2) * one_mm[name] * own
    decay *= shape
    choline = 9 * sum(truth[name] for name in SUMS["tCho"])
    for _ in range(4):
        hump = rng.uniform(0, 0.5) * choline * rng.choice([-0.3, 1])
        ppm, wide = rng.uniform(0.5, 4.2), rng.uniform(0.25, 0.9)
        decay += hump * wide / 0.12 * gaussian(ppm, wide, time)
    for _ in range(2):
        decay += choline * rng.uniform(0, 20) * np.exp(1j * rng.uniform(-1, 1)) * gaussian(
            rng.uniform(4.5, 4.8), 0.02, time) * np.exp(-np.pi * rng.uniform(4, 12) * time)  # fmt: skip
    lean = 2 * WATER_MM * rng.normal(1, 0.05) * (1 - fat) * relaxed(809 * rng.normal(1, 0.07), 34 * rng.normal(1, 0.07))
    water = lean * shape * np.exp(-np.pi * rng.uniform(3, 6) * time)
    top = np.abs(np.fft.fft(choline * shape * np.exp(-np.pi * 5 * time))).max()
    sd = top / np.exp(rng.uniform(np.log(8), np.log(60))) / np.sqrt(len(time))
    turn = np.exp(1j * rng.uniform(-0.6, 0.6) + 2j * np.pi * rng.uniform(-6, 6) * time)
    noise = sd * (rng.normal(size=(2, len(time))) + 1j * rng.normal(size=(2, len(time))))
    return decay * turn + noise[0], water * turn + noise[1], truth, fat * float(rng.normal(1, 0.1))


def measured(place: Path, *, spectra: int, seed: int, given: dict[str, Quantification]) -> pd.DataFrame:
    """Rows of what each method reports of each quantity of each spectrum, beside the truth."""
    rows = []
    by_timing = [decays(first) for first in (0.0117, 0.0140, 0.0175)]
    for number in range(spectra):
        rng = np.random.default_rng((seed, number))
        decay, water, truth, fat = patient(rng, by_timing[number % len(by_timing)])
        for name, fids in (("act", decay), ("ref", water)):
            path = place / f"{name}.nii.gz"
            write_nifti_mrs(path, fids=fids, acquisition=ACQUISITION, suppressed=name == "act")
        truth |= {name: sum(truth[part] for part in parts) for name, parts in SUMS.items() if set(parts) <= set(truth)}
        for method, settings in given.items():
            own = Quantification(method=settings.method, run=settings.run, pdff=float(np.clip(fat, 0, 0.5)))
            found = quantified(place / "act.nii.gz", water=place / "ref.nii.gz", settings=own).quantities.to_table()
            found["truth"] = found["target"].map(truth)
            rows.append(found.assign(method=method, spectrum=number))
    return pd.concat(rows, ignore_index=True)


def summary(rows: pd.DataFrame) -> pd.Series:
    """Of rows of one quantity, or of all."""
    said = rows[rows["value"].notna()]
    held = (said["value"] - said["truth"]).abs() <= 1.96 * said["sd"]
    ratio = said["value"] / said["truth"]
    wrong = (ratio > 2) | (ratio < 0.5)
    return pd.Series(
        {"reported": len(said), "of": len(rows), "covered": held.mean(), "ratio": ratio.median(), "wrong": wrong.sum()}
    )


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--spectra", type=int, default=120)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--run", type=Path, help="a locked run of bae_2025_qcnn, for the methods with networks")
    asked = arguments.parse_args()
    given = {name: Quantification(method=name) for name in ("nls", "map")}
    given |= {name: Quantification(method=name, run=asked.run) for name in ("qcnn", "qcnn+gn") if asked.run}
    with tempfile.TemporaryDirectory() as place:
        rows = measured(Path(place), spectra=asked.spectra, seed=asked.seed, given=given)
    for method, own in rows.groupby("method", sort=False):
        table = own.groupby("target", sort=False).apply(summary, include_groups=False)
        table.loc["all"] = summary(own)
        print(f"\n{method}\n{table.round(2).to_string()}", flush=True)


if __name__ == "__main__":
    main()

"""Basis: the liver's 15 + 5 components simulated for a new echo time, against nmrsim without any sequence.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/basis.py

Ours is the whole PRESS basis from nothing (no table kept), decays sampled; the peer gives the lines of the same 15
metabolites after one pulse (nmrsim has no sequences, and Glycg and the lipids have no spins), every proton explicit,
without the couplings to nitrogen and phosphorus. Prints medians of ROUNDS, in turns, and checks first that the lines of
a few agree. Aim: at most 1 s on one core. nmrsim gets an environment of its own on the first run.
"""

import json
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
from peers import environment

from hepatica.spectroscopy.basis.pulse_sequence import sinc_pulse
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis, transitions
from hepatica.spectroscopy.basis.spin_system import SpinGroup, spin_systems
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.targets import METABOLITES15

ROUNDS = 9
F0_MHZ = 127.74
CHECKED = ("Ala", "Glu", "Ins")

PEER = """
import json, sys, time
import numpy as np
from nmrsim.qm import qm_spinsystem

systems = json.loads(sys.stdin.readline())
for line in sys.stdin:
    begin = time.perf_counter()
    lines = [[qm_spinsystem(hz, np.array(j)) for hz, j in groups] for groups in systems]
    seconds = time.perf_counter() - begin
    plain = [[[list(map(float, line)) for line in group] for group in groups] for groups in lines]
    print(json.dumps([seconds, plain]), flush=True)
"""


def explicit(group: SpinGroup) -> tuple[list[float], list[list[float]]]:
    """Hz from 0 ppm (the peer knows no negative ones) and couplings; an uncoupled site is one proton, as with us."""
    counts = group.nuclei if len(group.nuclei) > 1 else (1,)
    site = np.repeat(np.arange(len(counts)), counts)
    between = np.zeros((len(counts), len(counts)))
    for a, b, hz in group.couplings:
        between[a, b] = between[b, a] = hz
    shifts = np.array(group.shifts_ppm) * F0_MHZ
    return shifts[site].tolist(), between[np.ix_(site, site)].tolist()


def whole(te_ms: float, **options: Any) -> float:
    """Seconds for the twenty at an echo time that was not asked for before."""
    transitions.cache_clear()
    begin = time.perf_counter()
    simulate_basis(Acquisition(f0_mhz=F0_MHZ, te_ms=te_ms), **options)
    return time.perf_counter() - begin


def check(lines: list[Any]) -> float:
    """Largest difference of the two decays after one pulse, a proton, of the metabolites in CHECKED."""
    acquisition = Acquisition(f0_mhz=F0_MHZ, te_ms=1e-9, reference_ppm=0.0)
    time_s = acquisition.time_s[:, None]
    apart = []
    for name in CHECKED:
        ours = simulate_basis(acquisition, names=[name]).fids[0]
        theirs = sum(
            np.exp(2j * np.pi * time_s * np.array([hz for hz, _ in group])) @ np.array([height for _, height in group])
            for group in lines[METABOLITES15.index(name)]
        )
        apart.append(np.abs(ours / ours[0] - theirs / theirs[0]).max())
    return float(max(apart))


def main() -> None:
    """Measure both in turn and print one line a ratio."""
    systems = [[explicit(group) for group in spin_systems()[name].groups] for name in METABOLITES15]
    python: Path = environment("nmrsim", "nmrsim==0.7.1", "sparse==0.15.4")  # its cache is of that sparse
    command = [str(python), "-c", PEER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(systems) + "\n")
        ours, peer, lines = [], [], []
        for turn in range(ROUNDS + 1):  # the first compiles and warms up
            process.stdin.write("\n")
            process.stdin.flush()
            seconds, lines = json.loads(process.stdout.readline())
            ours.append(whole(30 + turn / 7))
            peer.append(seconds)
        process.communicate()
    apart = check(lines)
    if apart > 0.02:
        raise SystemExit(f"disagreement: decays of {', '.join(CHECKED)} differ by {apart}")
    mine, other = statistics.median(ours[1:]), statistics.median(peer[1:])
    print(
        f"basis, PRESS, 15 + 5, 3 T: ours {mine:.3f} s with sequence and sampling (aim 1 s), nmrsim {other:.3f} s for"
        f" the lines after one pulse, ratio {other / mine:.1f}; decays of {', '.join(CHECKED)} agree within"
        f" {apart:.0e}"
    )
    begin = time.perf_counter()
    simulate_basis(Acquisition(f0_mhz=F0_MHZ, te_ms=30 + ROUNDS / 7, bandwidth_hz=4000.0, points=2048))
    again = time.perf_counter() - begin
    print(
        f"another sampling of the same: {again:.4f} s; with shaped refocusing pulses, 32 places:"
        f" {whole(35.0, refocusing=sinc_pulse()):.2f} s (aim 60 s)"
    )


if __name__ == "__main__":
    main()

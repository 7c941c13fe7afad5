"""Water removal: our HSVD against those of hlsvdpropy and suspect, on the same decays in the same run.

    uv venv /tmp/peers && uv pip install --python /tmp/peers/bin/python "setuptools<81" hlsvdpropy suspect
    PYTHONPATH=/tmp/peers/lib/python3.11/site-packages .venv/bin/python benchmarks/water_removal.py

The peers need their own folder: hlsvdpropy wants setuptools below 81. Without them ours is timed alone. Prints seconds
on one thread (medians of ROUNDS) for a liver of 2048 points with residual water of 1 to 1000 times its lipids, the
ratio, and how far from the truth each leaves 0.5 to 4.1 ppm, in SDs of the noise.
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import importlib.util
import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np

from hepatica.spectroscopy.preprocessing.water_removal import remove_water
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import to_spectrum

ROUNDS = 3
COMPONENTS = 24
LIVER = Acquisition(points=2048)
LINES = {0.9: 40.0, 1.28: 300.0, 1.59: 25.0, 2.03: 30.0, 2.77: 4.0, 3.2: 20.0, 3.9: 10.0}
NOISE = 0.5
WATER_HZ = 50.0  # of the carrier, which is at the water


def seconds(call: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def decays(times: float) -> tuple[np.ndarray, np.ndarray]:
    """A liver without and with water of so many times its highest line, 12 Hz wide, with noise."""
    rng = np.random.default_rng(0)
    turns = {ppm: np.exp((2j * np.pi * (ppm - 4.65) * LIVER.f0_mhz - 12 * np.pi) * LIVER.time_s) for ppm in LINES}
    clean = sum(amplitude * turns[ppm] for ppm, amplitude in LINES.items())
    clean = clean + NOISE * (rng.normal(size=LIVER.points) + 1j * rng.normal(size=LIVER.points))
    return clean, clean + 300 * times * np.exp((2j * np.pi * 3.0 - 12 * np.pi) * LIVER.time_s)


def by_hlsvdpropy(fid: np.ndarray, *, points: int) -> np.ndarray:
    """What hlsvdpropy leaves, of singular vectors of the first points."""
    from hlsvdpropy import create_hlsvd_fids, hlsvd

    dwell_ms = 1000 / LIVER.bandwidth_hz
    found = hlsvd(fid[:points], COMPONENTS, dwell_ms)
    near = np.abs(1000 * np.asarray(found[2])) < WATER_HZ
    water = (*found[:2], *(np.asarray(column)[near] for column in found[2:]))
    return fid - create_hlsvd_fids(water, LIVER.points, dwell_ms, sum_results=True, convert=False)


def by_suspect(fid: np.ndarray) -> np.ndarray:
    """What suspect leaves."""
    import suspect

    data = suspect.MRSData(fid, 1 / LIVER.bandwidth_hz, LIVER.f0_mhz)
    lines = suspect.processing.water_suppression.hsvd(data, COMPONENTS)
    water = [each for each in lines if abs(each["frequency"]) < WATER_HZ]
    return fid - np.asarray(suspect.processing.water_suppression.construct_fid(water, data.time_axis()))


PEERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "hlsvdpropy": partial(by_hlsvdpropy, points=2048),
    "hlsvdpropy, 512 points": partial(by_hlsvdpropy, points=512),
    "suspect": by_suspect,
}


def compare(times: float) -> None:
    """Time all in turn, round by round, so that a busy machine troubles them alike."""
    clean, watery = decays(times)
    ways = {"ours": partial(remove_water, acquisition=LIVER)} | {
        name: way for name, way in PEERS.items() if importlib.util.find_spec(name.split(",")[0])
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            took[name].append(seconds(partial(way, watery)))
    window = (LIVER.ppm > 0.5) & (LIVER.ppm < 4.1)
    sd = NOISE * np.sqrt(LIVER.points)
    for name, way in ways.items():
        left = np.abs(to_spectrum(way(watery) - clean)[window]).max() / sd
        mine, own = statistics.median(took["ours"]), statistics.median(took[name])
        print(f"water {times:g} x lipids, {name}: {own:.4f} s, {own / mine:.0f} x ours; off by {left:.2f} SD of noise")


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # the peers' own
    remove_water(decays(1.0)[1], acquisition=LIVER)
    for share in (1.0, 30.0, 1000.0):
        compare(share)

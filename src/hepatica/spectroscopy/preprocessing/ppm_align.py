"""PPM align: the zero-order phase and the ppm reference, from water, lipids and choline, checked against each other."""

from dataclasses import dataclass

import numpy as np

from hepatica.spectroscopy.preprocessing.water_removal import lines, remove_water
from hepatica.spectroscopy.signal.acquisition import WATER_PPM, Acquisition
from hepatica.spectroscopy.signal.peaks import Peak, tallest
from hepatica.spectroscopy.signal.resample import received_s
from hepatica.spectroscopy.signal.spectrum import Signal, noise_sd

_WIDTH_HZ = (1.0, 60.0)  # ours: narrower is noise, broader is baseline


def zero_phase(fid: Signal, low: float, high: float, *, acquisition: Acquisition) -> float:
    """The angle in rad by which a decay (points,) is to be rotated so that its lines between two ppm are in phase.

    Of the exponentials it is made of, each counts by the height of its peak. 0 where there is none. Ours.
    """
    ppm, decays = lines(fid, acquisition=acquisition)
    first, second = decays[:, 0], decays[:, 1]
    decay_hz = -np.log(np.abs(second / first)) * acquisition.bandwidth_hz / np.pi
    counted = (ppm > low) & (ppm < high) & (decay_hz > _WIDTH_HZ[0]) & (decay_hz < _WIDTH_HZ[1])
    return float(-np.angle((first[counted] / decay_hz[counted]).sum())) if counted.any() else 0.0


LIP13_PPM = 1.28
"""Methylene of the lipids of liver (LCModel 6.3, liver-1.inc: 1.28 +- .02)."""

CHO_PPM = 3.2
"""Methyls of choline, phosphocholine and glycerophosphocholine, 3.185 to 3.212."""

WARN_PPM = 0.05
"""A reference off by more, or two that disagree by more, is noted (ours)."""

_SEARCH_PPM, _SEARCH_WATER_PPM = 0.35, 0.8  # ours: how far from its place a peak is searched for
_CLEAR = 8.0  # ours: SDs of the noise that make a peak
_EDGE = 0.05  # ours: of the band at each end, where scanners' filters fold
_LINES_PPM = (0.4, 4.2)
_FAR_PPM = ((-6.0, -0.2), (5.8, 12.0))  # where protons of liver do not resonate; aromatic ones are too weak
_LEAVE = {"choline": 0.1}  # ours: betaine may be higher, 0.06 ppm above it
_RANKING = ("water", "Lip13", "choline", "residual water")
_OF_CREATINE = (0.17, 0.90)  # choline and creatine's other line, ppm above creatine's methyl
_NEIGHBOUR, _DIP = 0.3, 1.3  # ours: of creatine's height, and times the dip beside it, that a peak has at least


@dataclass(frozen=True, kw_only=True)
class Reference:
    """By how many ppm the axis is to be lowered, the peak that says so, and the offset of each clear peak.

    0 where a single peak says so, unless it is that of the water reference: it may be another one's.
    """

    off_ppm: float
    by: str
    offsets: dict[str, float]

    @property
    def notes(self) -> tuple[str, ...]:
        """Warnings for the user."""
        if not self.offsets:
            return ("no peak of water, lipids or choline is clear: the ppm axis was left as the file has it",)
        notes = []
        if abs(self.off_ppm) > WARN_PPM:
            notes.append(f"the ppm axis was off by {self.off_ppm:+.2f} ppm according to {self.by}; it was corrected")
        alone = self.offsets[self.by]
        if self.off_ppm != alone and abs(alone) > WARN_PPM:
            notes.append(
                f"the ppm axis may be off by {alone:+.2f} ppm according to {self.by} alone: it was left as the file has"
                " it; inspect the spectrum"
            )
        moved = {name: off - alone for name, off in self.offsets.items()}
        notes += [
            f"{name} is {off:+.2f} ppm from its position relative to {self.by}: inspect the spectrum"
            for name, off in moved.items()
            if abs(off) > _LEAVE.get(name, WARN_PPM)
        ]
        return tuple(notes)


def find_reference(fid: Signal, *, acquisition: Acquisition, water: Signal | None = None) -> Reference:
    """How far the axis of a decay (points,), before water removal, is off; `water` is its reference's decay, if any.

    The first that is clear decides, the water reference (4.65 ppm) alone, Lip13 (1.28) where nothing is higher, choline
    (3.2) and residual water where another agrees; the others are compared with it. Peaks are looked for around where
    the water puts them.
    """
    offsets: dict[str, float] = {}
    name, decay, within = ("residual water", fid, _SEARCH_PPM) if water is None else ("water", water, _SEARCH_WATER_PPM)
    found = _off(decay, WATER_PPM, within=within, acquisition=acquisition)
    if found is not None:
        offsets[name] = found
    start = offsets.get(name, 0.0)
    clean = remove_water(moved_by(fid, start, acquisition=acquisition), acquisition=acquisition)
    for name, off in (("Lip13", _lip13(clean, acquisition)), ("choline", _choline(clean, acquisition))):
        if off is not None:
            offsets[name] = off + start
    by = next((name for name in _RANKING if name in offsets), "nothing")
    return Reference(off_ppm=offsets[by] if _agreed(offsets, by) else 0.0, by=by, offsets=offsets)


def _agreed(offsets: dict[str, float], by: str) -> bool:
    others = {name: abs(off - offsets[by]) for name, off in offsets.items() if name != by}
    return by == "water" or any(away <= _LEAVE.get(name, WARN_PPM) for name, away in others.items())


def moved_by(fid: Signal, off_ppm: float, *, acquisition: Acquisition) -> Signal:
    """The decay (…, points) with every line `off_ppm` lower."""
    return np.asarray(
        fid * np.exp(-2j * np.pi * off_ppm * acquisition.f0_mhz * received_s(fid, acquisition=acquisition))
    )


def stray_peak(fid: Signal, *, acquisition: Acquisition) -> float | None:
    """The ppm of a peak, in a decay without water, that is higher than all lines of the liver and lies far from them.

    There is none in a spectrum whose field strength and axis are right.
    """
    inside = tallest(fid, *_LINES_PPM, acquisition=acquisition)
    band = acquisition.ppm[[round(_EDGE * len(fid)), round((1 - _EDGE) * len(fid))]]
    reached = [np.clip(far, *band) for far in _FAR_PPM]
    strays = [_clear_peak(fid, *ends, acquisition=acquisition) for ends in reached if np.ptp(ends) > _SEARCH_PPM]
    return next((peak.ppm for peak in strays if peak is not None and peak.height > inside.height), None)


def _lip13(clean: Signal, acquisition: Acquisition) -> float | None:
    """Of Lip13, where nothing is higher: in a lean voxel that place belongs to others."""
    off = _off(clean, LIP13_PPM, within=_SEARCH_PPM, acquisition=acquisition)
    top = tallest(clean, *_LINES_PPM, acquisition=acquisition)
    return off if off is not None and abs(top.ppm - LIP13_PPM - off) < WARN_PPM else None


def _choline(clean: Signal, acquisition: Acquisition) -> float | None:
    """Of choline; where the tallest peak has creatine's neighbours, 0.17 and 0.90 ppm above it, it is creatine."""
    off = _off(clean, CHO_PPM, within=_SEARCH_PPM, acquisition=acquisition)
    if off is None:
        return None
    top = tallest(clean, CHO_PPM + off - 0.01, CHO_PPM + off + 0.01, acquisition=acquisition)
    neighbours = [
        tallest(clean, top.ppm + away - 0.04, top.ppm + away + 0.04, acquisition=acquisition) for away in _OF_CREATINE
    ]
    creatine = all(
        each.height > max(_NEIGHBOUR * top.height, _DIP * _lowest(clean, top.ppm, each.ppm, acquisition=acquisition))
        for each in neighbours
    )
    return neighbours[0].ppm - CHO_PPM if creatine else off


def _off(fid: Signal, place: float, *, within: float, acquisition: Acquisition) -> float | None:
    """By how many ppm the tallest peak near a place is higher than it; None where none is clear."""
    peak = _clear_peak(fid, place - within, place + within, acquisition=acquisition)
    return None if peak is None else peak.ppm - place


def _clear_peak(fid: Signal, low: float, high: float, *, acquisition: Acquisition) -> Peak | None:
    """The tallest peak between two ppm, where it rises from both sides beyond noise: not the flank of another."""
    peak = tallest(fid, low, high, acquisition=acquisition)
    dip = max(_lowest(fid, peak.ppm, end, acquisition=acquisition) for end in (low, high))
    rises = peak.height - dip > _CLEAR * noise_sd(fid, acquisition=acquisition)
    return peak if rises and peak.height > _DIP * dip else None


def _lowest(fid: Signal, one: float, other: float, *, acquisition: Acquisition) -> float:
    """The lowest modulus between two ppm."""
    low, high = sorted((one, other))
    return -tallest(fid, low, high, acquisition=acquisition, part=lambda values: -np.abs(values)).height

"""Transients: coils combined with the least noise, transients aligned in frequency and phase, and averaged."""

from dataclasses import dataclass

import numpy as np
from einops import einsum, rearrange
from numpy.typing import NDArray
from scipy import fft

from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import Signal, noise_sd, to_spectrum

_TAIL = 0.25  # ours: the last quarter of a decay is noise
_SAMPLES_A_COIL = 8  # ours: fewer noise samples a coil do not determine the covariance


def coil_weights(fids: Signal) -> Signal:
    """Weights (coils,) of decays (transients, coils, points), from the water or the lipids: the strongest signal there.

    Whitened singular value decomposition (Rodgers and Robson 2010, doi:10.1002/mrm.22230): the leading singular vector
    of the decays after their noise was made independent and equal. A signal of 1 in all, by root of the sum of squares
    over coils, stays 1. Coils that received nothing weigh nothing.
    """
    alive = np.abs(fids).max(axis=(0, 2)) > 0
    mean = fids[:, alive].mean(axis=0)
    whitening = _whitening(fids[:, alive])
    vectors, strengths, _ = np.linalg.svd(whitening @ mean, full_matrices=False)
    towards = whitening.conj().T @ vectors[:, 0]
    sensitivity = np.linalg.solve(whitening, vectors[:, 0] * strengths[0])
    size = np.linalg.norm(sensitivity)
    gain = np.vdot(towards, sensitivity)
    weights = np.zeros(fids.shape[1], complex)
    strongest = np.argmax(np.abs(sensitivity))
    turn = np.exp(-1j * np.angle(sensitivity[strongest]))  # the phase of the best coil is the phase of all
    weights[alive] = (towards * size / gain.conj()) * turn
    return weights


def combine_coils(fids: Signal, *, weights: Signal) -> Signal:
    """Decays (transients, points) of decays (transients, coils, points)."""
    return np.asarray(einsum(fids, weights.conj(), "t c n, c -> t n"))


def _whitening(fids: Signal) -> NDArray[np.complex128]:
    """Matrix (coils, coils) that makes the noise of coils independent and of variance 1; identity where unknown."""
    coils = fids.shape[1]
    tail = rearrange(fids[..., -max(1, int(fids.shape[2] * _TAIL)) :], "t c n -> c (t n)")
    if coils == 1 or tail.shape[1] < _SAMPLES_A_COIL * coils:
        return np.eye(coils, dtype=complex)
    values, vectors = np.linalg.eigh(np.cov(tail))
    floor = values.max() * 1e-9
    if floor == 0:
        return np.eye(coils, dtype=complex)
    return np.asarray(np.diag(np.maximum(values, floor) ** -0.5) @ vectors.conj().T)


Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """Settings, all ours. Transients are registered by the stronger of the residual water and the methylene of lipids,
    within `half_width_ppm` of it, over the first `duration_s`; shifts up to `largest_hz` are looked for. A transient
    whose distance from the median lies `unlike` robust SDs above the others', and above `least` of the median itself,
    is left out, at most `most_left_out` of all.
    """

    anchors_ppm: tuple[float, ...] = (4.65, 1.28)
    half_width_ppm: float = 0.6
    duration_s: float = 0.2
    largest_hz: float = 40.0
    rounds: int = 2
    unlike: float = 5.0
    least: float = 0.15
    most_left_out: float = 0.5


ALIGNMENT = Alignment()

_METABOLITES_PPM = (0.4, 4.2)
_APART, _CLEAR = 0.5, 8.0  # ours: of the highest peak there, and SDs of the noise, by which an edited line differs
_FINER = 8  # zero filling of the correlation; a parabola finds the rest


@dataclass(frozen=True, kw_only=True, eq=False)
class Averaged:
    """The mean decay (points,) of the transients kept, and by how much each (transients,) was off the mean.

    `alternating`: every second one differs, as of an edited spectrum.
    """

    fid: Signal
    hz: Floats
    rad: Floats
    kept: NDArray[np.bool_]
    alternating: bool = False


def average(fids: Signal, *, acquisition: Acquisition, settings: Alignment = ALIGNMENT) -> Averaged:
    """Decays (transients, points) aligned and averaged.

    Spectral registration (Near et al. 2015, doi:10.1002/mrm.25094) of the anchor's band: the best frequency is the peak
    of the Fourier transform of reference* x transient, and its angle the best phase. The reference is the transient
    nearest to the median of the moduli, then the mean of those kept.
    """
    count = len(fids)
    if count == 1:
        return Averaged(fid=fids[0], hz=np.zeros(1), rad=np.zeros(1), kept=np.ones(1, bool))
    bands = _band(fids, acquisition=acquisition, settings=settings)
    moduli = np.abs(fft.fft(bands, axis=1))
    reference = bands[np.argmin(np.linalg.norm(moduli - np.median(moduli, axis=0), axis=1))]
    hz, rad, kept, turned = np.zeros(count), np.zeros(count), np.ones(count, bool), bands
    for _ in range(settings.rounds):
        hz, rad = _registered(bands, reference, acquisition=acquisition, settings=settings)
        kept = _alike(_turned(fids[:, : bands.shape[1]], hz=hz, rad=rad, acquisition=acquisition), settings=settings)
        turned = _turned(bands, hz=hz, rad=rad, acquisition=acquisition)
        reference = turned[kept].mean(axis=0)
    weights = np.abs(turned @ reference.conj()) * kept
    hz = hz - np.average(hz, weights=weights)  # the voxel's frequency and phase are the mean's, not the reference's
    rad = rad - np.angle(np.sum(weights * np.exp(1j * rad)))
    aligned = _turned(fids, hz=hz, rad=rad, acquisition=acquisition)
    mean = aligned[kept].mean(axis=0)
    return Averaged(fid=mean, hz=hz, rad=rad, kept=kept, alternating=_alternating(aligned, acquisition=acquisition))


def _alternating(aligned: Signal, *, acquisition: Acquisition) -> bool:
    """Whether the means of every second decay (transients, points) differ by a good part of the highest metabolite."""
    pair = [aligned[first::2].mean(axis=0) for first in (0, 1)]
    within = acquisition.within(*_METABOLITES_PPM)
    apart, whole = (float(np.abs(to_spectrum(each)[within]).max()) for each in (pair[0] - pair[1], sum(pair) / 2))
    return apart > _APART * whole and apart > _CLEAR * noise_sd(pair[0] - pair[1], acquisition=acquisition)


def _band(fids: Signal, *, acquisition: Acquisition, settings: Alignment) -> Signal:
    """The decays' first part with the strongest anchor's surroundings alone."""
    spectra = fft.fft(fids, axis=1)
    ppm = fft.ifftshift(acquisition.ppm)
    moduli = np.abs(spectra).mean(axis=0)
    masks = [np.abs(ppm - anchor) < settings.half_width_ppm for anchor in settings.anchors_ppm]
    strongest = max(masks, key=lambda mask: float(moduli[mask].max(initial=0.0)))
    kept = max(8, int(settings.duration_s * acquisition.bandwidth_hz))
    return np.asarray(fft.ifft(spectra * strongest, axis=1)[:, :kept])


def _registered(
    bands: Signal, reference: Signal, *, acquisition: Acquisition, settings: Alignment
) -> tuple[Floats, Floats]:
    size = fft.next_fast_len(_FINER * bands.shape[1])
    hz = fft.fftfreq(size, 1 / acquisition.bandwidth_hz)
    near = np.flatnonzero(np.abs(hz) <= settings.largest_hz)
    near = near[np.argsort(hz[near])]
    products = fft.fft(reference.conj() * bands, size, axis=1)[:, near]
    heights = np.abs(products)
    top = np.clip(heights.argmax(axis=1), 1, len(near) - 2)
    rows = np.arange(len(bands))
    before, at, after = (heights[rows, top + step] for step in (-1, 0, 1))
    bend = before - 2 * at + after
    step = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, 1), 0.0).clip(-0.5, 0.5)
    found = hz[near][top] + step * acquisition.bandwidth_hz / size
    turns = np.exp(-2j * np.pi * found[:, None] * acquisition.time_s[: bands.shape[1]])
    return found, np.angle((reference.conj() * bands * turns).sum(axis=1))


def _turned(fids: Signal, *, hz: Floats, rad: Floats, acquisition: Acquisition) -> Signal:
    time = acquisition.time_s[: fids.shape[1]]
    angle = 2 * np.pi * rearrange(hz, "t -> t 1") * time + rearrange(rad, "t -> t 1")
    return np.asarray(fids * np.exp(-1j * angle))


def _alike(turned: Signal, *, settings: Alignment) -> NDArray[np.bool_]:
    """Which transients are no further from the median than the rest."""
    middle = np.median(turned.real, axis=0) + 1j * np.median(turned.imag, axis=0)
    distance = np.linalg.norm(turned - middle, axis=1)
    spread = 1.4826 * np.median(np.abs(distance - np.median(distance)))
    limit = max(
        np.median(distance) + settings.unlike * spread,
        settings.least * float(np.linalg.norm(middle)),
        np.quantile(distance, 1 - settings.most_left_out),
    )
    return np.asarray(distance <= limit * (1 + 1e-9))

"""Preprocess: from the decays of coils and transients to one spectrum to fit, with notes of what was done."""

from dataclasses import dataclass, field, replace

import numpy as np

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.preprocessing.eddy_current import water_phase
from hepatica.spectroscopy.preprocessing.orientation import (
    Water,
    are_swapped,
    is_conjugated,
    is_reference,
    runs_backwards,
    turned_round,
    water_in,
)
from hepatica.spectroscopy.preprocessing.ppm_align import find_reference, moved_by, stray_peak, zero_phase
from hepatica.spectroscopy.preprocessing.transients import ALIGNMENT, Alignment, average, coil_weights, combine_coils
from hepatica.spectroscopy.preprocessing.water_removal import WATER_REMOVAL, WaterRemoval, remove_water
from hepatica.spectroscopy.signal.acquisition import WATER_PPM, Acquisition
from hepatica.spectroscopy.signal.spectrum import RawSpectra, Signal, Spectrum

_PHASED_PPM = (0.4, 4.2)
_FEWEST = 64  # ours: points that are not zero, below which lines cannot be resolved
_ADDED = 0.01  # ours: share of points at the end that may be exactly 0


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How transients are aligned and water is removed."""

    alignment: Alignment = field(default=ALIGNMENT)
    water_removal: WaterRemoval = field(default=WATER_REMOVAL)


PREPROCESSING = Preprocessing()


def preprocess(raw: RawSpectra, *, settings: Preprocessing = PREPROCESSING) -> Spectrum:
    """One spectrum of raw decays: the water at 4.65 ppm, in phase, residual water removed.

    In this order: decays that run backwards are reversed; coils combined; transients aligned, rejected, averaged;
    spectrum and water reference exchanged where they were swapped; conjugation undone; eddy currents corrected and the
    ppm axis corrected; water removed; without a water reference, the phase found. The amplitude is that of one
    transient. A reference of another number of coils serves for phases alone and is not kept. Raises SpecimenError
    where there are too few points, it is the water alone, or a peak shows that axis or field strength are wrong.
    """
    raw = _without_zeros(raw)
    acquisition = raw.acquisition
    _refuse_short(raw)
    pair, averages = _averaged(raw, settings)
    for step in (_unswapped, _unconjugated, _doubted, _referenced):
        pair = step(pair, acquisition)
    clean = remove_water(pair.fid, acquisition=acquisition, settings=settings.water_removal)
    _refuse_strays(clean, acquisition)
    pair = _phased(replace(pair, fid=clean), acquisition)
    water = pair.water if _of_one_height(raw) else None
    return replace(_acquired(raw, pair), fid=pair.fid, water=water, averages=averages, notes=pair.notes)


def _acquired(raw: RawSpectra, pair: "_Pair") -> Spectrum:
    """With the times of spectrum and water reference, which go with them where they were exchanged."""
    own, water = raw.acquisition, raw.water_acquisition
    if pair.swapped and water is not None:
        times = {name: getattr(water, name) for name in ("sequence", "te_ms", "tr_ms", "tm_ms")}
        own, water = replace(own, **times), own
    return Spectrum(fid=pair.fid, acquisition=own, water_acquisition=water)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pair:
    """Decays (points,) of the spectrum and of its water reference during preprocessing, and warnings."""

    fid: Signal
    water: Signal | None
    notes: tuple[str, ...]
    swapped: bool = False

    def noted(self, *notes: str) -> "_Pair":
        return replace(self, notes=(*self.notes, *notes))


def _without_zeros(raw: RawSpectra) -> RawSpectra:
    """The decays without zeros that software added at their end, which carry no information."""
    given = raw.acquisition.points
    points = 1 + int(np.flatnonzero(raw.fids.any(axis=(0, 1)))[-1])
    if given - points <= _ADDED * given:
        return raw
    note = f"the last {given - points} of {given} points are zeros: they carry no information and were left out"
    water = None if raw.water is None else raw.water[..., :points]
    acquisition = replace(raw.acquisition, points=points)
    return replace(raw, fids=raw.fids[..., :points], acquisition=acquisition, water=water, notes=(*raw.notes, note))


def _refuse_short(raw: RawSpectra) -> None:
    for name, fids in (("spectrum", raw.fids), ("water reference", raw.water)):
        points = _FEWEST if fids is None else 1 + int(np.flatnonzero(fids.any(axis=(0, 1)))[-1])
        if points < _FEWEST:
            raise SpecimenError(
                f"the {name} has {points} points that are not zero, wanted {_FEWEST} or more: it is truncated; export"
                " it again"
            )


def _averaged(raw: RawSpectra, settings: Preprocessing) -> tuple[_Pair, int]:
    fids, water, notes = _voxel(raw)
    found = average(fids, acquisition=raw.acquisition, settings=settings.alignment)
    out = int((~found.kept).sum())
    if out:
        notes += (f"{out} of {len(found.kept)} transients differed from the others and were excluded",)
    if found.alternating:
        notes += (
            "every second transient differs: if the spectrum is edited, its mean is not meaningful; inspect the fit",
        )
    if water is not None:
        water = average(water, acquisition=raw.acquisition, settings=settings.alignment).fid
    pair = _Pair(fid=found.fid, water=water, notes=(*raw.notes, *notes))
    return pair, int(found.kept.sum()) * (raw.averages or 1)


def _voxel(raw: RawSpectra) -> tuple[Signal, Signal | None, tuple[str, ...]]:
    """Decays (transients, points) of spectrum and reference, coils combined by the same weights where they can be."""
    fids, notes = _forwards(raw.fids)
    if raw.water is None:
        return combine_coils(fids, weights=coil_weights(fids)), None, notes
    water, _ = _forwards(raw.water)
    weights = coil_weights(water)
    if _of_one_height(raw):
        return combine_coils(fids, weights=weights), combine_coils(water, weights=weights), notes
    note = (
        f"the water reference has {water.shape[1]} coils, the spectrum {fids.shape[1]}: each was combined by itself, so"
        " the water's height cannot be used and concentrations are relative"
    )
    return combine_coils(fids, weights=coil_weights(fids)), combine_coils(water, weights=weights), (*notes, note)


def _of_one_height(raw: RawSpectra) -> bool:
    """Whether the reference was received by as many coils, so that its height can be compared with the spectrum's."""
    return raw.water is not None and raw.water.shape[1] == raw.fids.shape[1]


def _forwards(fids: Signal) -> tuple[Signal, tuple[str, ...]]:
    if runs_backwards(fids):
        return turned_round(fids), ("the decay grew, as in a reversed spectrum; it was reversed",)
    return fids, ()


def _unswapped(pair: _Pair, acquisition: Acquisition) -> _Pair:
    """Spectrum and water reference, distinguished by their water."""
    spectrum = water_in(pair.fid, acquisition=acquisition)
    if pair.water is None:
        _refuse_water(spectrum)
        return pair
    if np.array_equal(pair.fid, pair.water):
        if spectrum.unsuppressed:
            return pair.noted("the spectrum is its own water reference")
        return replace(pair, water=None).noted("the spectrum was given as its own water, which is suppressed: unused")
    reference = water_in(pair.water, acquisition=acquisition)
    if are_swapped(spectrum, reference):
        swapped = replace(pair, fid=pair.water, water=pair.fid, swapped=True)
        return swapped.noted("spectrum and water reference were swapped: the one with the water became the reference")
    if not is_reference(reference, spectrum):
        return replace(pair, water=None).noted(
            "what was given as water reference has too little water: it was not used"
        )
    return pair


def _refuse_water(spectrum: Water) -> None:
    if spectrum.alone:
        raise SpecimenError(
            f"the water is {spectrum.times:.0f} times as high as everything else: this is a water reference; give the"
            " water-suppressed file, or this one as its own water too if it was acquired without suppression"
        )


def _unconjugated(pair: _Pair, acquisition: Acquisition) -> _Pair:
    """Spectrum and water reference, the latter by its own fat if that shows, else as the spectrum."""
    wrong = is_conjugated(pair.fid, acquisition=acquisition)
    if wrong:
        note = "the spectrum was conjugated, its lines on the wrong side of the water; it was conjugated back"
        pair = replace(pair, fid=pair.fid.conj()).noted(note)
    if pair.water is None:
        return pair
    right = wrong and is_conjugated(pair.water.conj(), acquisition=acquisition)
    if right or not (wrong or is_conjugated(pair.water, acquisition=acquisition)):
        return pair
    turned = replace(pair, water=pair.water.conj())
    return turned if wrong else turned.noted("the water reference alone was conjugated; it was conjugated back")


def _doubted(pair: _Pair, acquisition: Acquisition) -> _Pair:
    """A spectrum alone with much water may be the reference of a fatty liver, whose lipids show beside it."""
    if pair.water is not None:
        return pair
    water = water_in(pair.fid, acquisition=acquisition)
    if not water.doubtful:
        return pair
    return pair.noted(
        f"the water is {water.of_metabolites:.0f} times as high as the metabolites: it was poorly suppressed, or this"
        " is a water reference; inspect the fit"
    )


def _referenced(pair: _Pair, acquisition: Acquisition) -> _Pair:
    """The water at its place, by its own phase or, without a reference, by what `find_reference` finds."""
    found = find_reference(pair.fid, acquisition=acquisition, water=pair.water)
    if pair.water is None:
        return replace(pair, fid=moved_by(pair.fid, found.off_ppm, acquisition=acquisition)).noted(*found.notes)
    phase = water_phase(pair.water, acquisition=acquisition)
    at_zero = [each * np.exp(-1j * phase) for each in (pair.fid, pair.water)]
    off = acquisition.reference_ppm - WATER_PPM
    fid, water = (moved_by(each, off, acquisition=acquisition) for each in at_zero)
    return replace(pair, fid=fid, water=water).noted(*found.notes)


def _refuse_strays(clean: Signal, acquisition: Acquisition) -> None:
    stray = stray_peak(clean, acquisition=acquisition)
    if stray is not None:
        raise SpecimenError(
            f"the highest peak is at {stray:.1f} ppm, where no liver metabolite resonates: field strength"
            f" ({acquisition.f0_mhz:.2f} MHz), bandwidth or axis are wrong; give f0_mhz, bandwidth_hz or reference_ppm,"
            " or leave the spectrum out"
        )


def _phased(pair: _Pair, acquisition: Acquisition) -> _Pair:
    if pair.water is not None:
        return pair
    turn = np.exp(1j * zero_phase(pair.fid, *_PHASED_PPM, acquisition=acquisition))
    note = "no water reference was used: eddy currents are uncorrected, concentrations are relative"
    return replace(pair, fid=pair.fid * turn).noted(note)

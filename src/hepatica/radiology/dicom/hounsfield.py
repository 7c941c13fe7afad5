"""Hounsfield: from stored pixel values to Hounsfield units, also of files with wrong headers, or to MR signal."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.dicom.header import Header

AIR = -1024.0
"""HU below which nothing is tissue: scanners pad the corners outside their field of view with less."""

HIGHEST = 31743.0
"""HU beyond which no scanner counts, even on its extended scale for metal (16 bit signed, less the offset of 1024)."""

LEAST_AIR = 0.001  # ours
"""Least part of a CT's voxels that are fat, lung or air: MR, z-scores and shares have none there."""

LEAST_BELOW = 0.1  # ours
"""The lowest Hounsfield unit is at least so far below 0, as a part of the 99th percentile; that of MR is not."""

_SAMPLE = 500_000  # voxels, of which the percentile is measured
_FAT = -100.0  # HU, at most, of what proves that values are Hounsfield units
_TISSUE = (-200.0, 1500.0)  # HU; padding declared within is believed where it touches the border of the slice
_BORDER = 4  # pixels


def hounsfield(stored: Sequence[np.ndarray], headers: Sequence[Header]) -> tuple[np.ndarray, tuple[str, ...]]:
    """HU (z y x) float32 of one series, each slice by its own slope and intercept, and notes on corrections.

    Values below AIR and the padding that the header declares become AIR; padding with a value that tissue may have,
    only where it touches the border. Signed numbers that the header calls unsigned (air at 64,512) are read as what
    they are. MONOCHROME1 only concerns display, and HU follow from the rescale in any case; where
    the image proves that its values are inverted too (surroundings brighter than the body) they are turned back.
    SpecimenError when the header has no rescale and the values are no HU by themselves, or are none after it.
    """
    inverted = _are_inverted(stored, headers)
    rescaled = all(header.slope is not None and header.intercept is not None for header in headers)
    wrapped = _are_wrapped(stored, headers)
    values = np.empty((len(stored), *stored[0].shape), np.float32)
    for k, (pixels, header) in enumerate(zip(stored, headers, strict=True)):
        outside = _outside(pixels, header)
        pixels = pixels.astype(np.int16) if wrapped else pixels
        pixels = _turned(pixels, header) if inverted else pixels
        np.multiply(pixels, header.slope if header.slope is not None else 1.0, out=values[k], casting="unsafe")
        values[k] += header.intercept or 0.0
        values[k][outside] = AIR
    refuse_other_units(values, remedy=f"the header's rescale is {'wrong' if rescaled else 'missing'}")
    notes = (
        *(("signed values declared unsigned by the header; read as signed",) if wrapped else ()),
        *(("values inverted (MONOCHROME1); inverted back",) if inverted else ()),
        *(("no rescale in the header; the values are taken as Hounsfield units",) if not rescaled else ()),
    )
    return np.maximum(values, AIR, out=values), notes


def _are_wrapped(stored: Sequence[np.ndarray], headers: Sequence[Header]) -> bool:
    """Some unsigned value is beyond any scanner's range, and read as signed none is."""
    highest = -np.inf
    for pixels, header in zip(stored, headers, strict=True):
        if pixels.dtype != np.uint16:
            return False
        highest = max(highest, float(pixels.max()) * (header.slope or 1.0) + (header.intercept or 0.0))
    return bool(highest > HIGHEST)


def _are_inverted(stored: Sequence[np.ndarray], headers: Sequence[Header]) -> bool:
    if any(header.photometric != "MONOCHROME1" for header in headers):
        return False
    border = np.ones(stored[0].shape, bool)
    border[_BORDER:-_BORDER, _BORDER:-_BORDER] = False
    return bool(np.mean([np.median(each[border]) > np.median(each[~border]) for each in stored]) > 0.5)


def _turned(pixels: np.ndarray, header: Header) -> np.ndarray:
    low, high = (
        (-(1 << (header.bits - 1)), (1 << (header.bits - 1)) - 1) if header.signed else (0, (1 << header.bits) - 1)
    )
    return low + high - pixels.astype(np.int32)


def _outside(pixels: np.ndarray, header: Header) -> np.ndarray:
    """(y x) bool: where the scanner measured nothing, by the padding the header declares."""
    if header.padding is None:
        return np.zeros(pixels.shape, bool)
    low, high = header.padding
    padded = (pixels >= low) & (pixels <= high)
    least, most = sorted(each * (header.slope or 1.0) + (header.intercept or 0.0) for each in header.padding)
    if most < _TISSUE[0] or least > _TISSUE[1] or not padded.any():
        return padded
    parts, _ = ndimage.label(padded)
    edges = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    return np.asarray(np.isin(parts, edges[edges > 0]))


def are_hounsfield(values: np.ndarray) -> bool:
    """Whether values of any shape may be Hounsfield units: some fat or air, not air alone, none beyond HIGHEST.

    Interpolated MR dips below 0 at edges, by a small part of its signal only: LEAST_BELOW tells both apart.
    """
    low, high = float(values.min()), float(values.max())
    if not (AIR < high <= HIGHEST and low < high):
        return False
    bright = np.percentile(values.reshape(-1)[:: max(1, values.size // _SAMPLE)], 99)
    some = np.count_nonzero(values <= _FAT) >= max(1, LEAST_AIR * values.size)
    return bool(some and low <= -LEAST_BELOW * bright)


def refuse_other_units(values: np.ndarray, *, remedy: str) -> None:
    """SpecimenError when values of any shape are not Hounsfield units."""
    if are_hounsfield(values):
        return
    low, high = float(values.min()), float(values.max())
    raise SpecimenError(
        f"values from {low:.3g} to {high:.3g} are not Hounsfield units (air is -1000; wanted {LEAST_AIR:.1%} of them "
        f"and more at {_FAT:.0f} or below, up to {HIGHEST:.0f}, not air alone); {remedy}: send the original series"
    )


def magnitude(stored: Sequence[np.ndarray], headers: Sequence[Header]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Signal (z y x) float32 of one series, each slice by its own slope and intercept where it has them, and notes.

    Its unit is that of the scan. Padding that the header declares becomes 0. SpecimenError as `refuse_hounsfield`.
    """
    values = np.empty((len(stored), *stored[0].shape), np.float32)
    for k, (pixels, header) in enumerate(zip(stored, headers, strict=True)):
        values[k] = pixels
        values[k] *= header.slope if header.slope is not None else 1.0
        values[k] += header.intercept or 0.0
        if header.padding is not None:
            low, high = header.padding
            values[k][(pixels >= low) & (pixels <= high)] = 0.0
    refuse_hounsfield(values)
    return values, ()


def refuse_hounsfield(values: np.ndarray) -> None:
    """SpecimenError when values of any shape are no MR signal: one value alone, no numbers, or Hounsfield units."""
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all() or low == high:
        raise SpecimenError(f"values from {low:.3g} to {high:.3g} are no MR signal; send the original series")
    if are_hounsfield(values):
        raise SpecimenError(
            f"values from {low:.3g} to {high:.3g} are those of CT (Hounsfield units) or a phase image, not MR signal, "
            "which is not far below 0; send the original magnitude series of an MR"
        )

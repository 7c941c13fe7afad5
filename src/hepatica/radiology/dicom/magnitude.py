"""Magnitude: from stored pixel values to MR signal, and values that are none."""

from collections.abc import Sequence

import numpy as np

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.dicom.header import Header
from hepatica.radiology.dicom.hounsfield import are_hounsfield


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

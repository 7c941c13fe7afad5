"""Inspection: a spectrum is seen, with what limits it."""

from pathlib import Path

import numpy as np

from hepatica.cohort import load_cohort
from hepatica.spectroscopy.inspection import inspect
from hepatica.spectroscopy.phantom import phantom_spectra


def test_a_spectrum_is_drawn_with_its_quality(tmp_path: Path) -> None:
    cohort = load_cohort(phantom_spectra(tmp_path / "c", patients=1, seed=1, hospital="A"))
    found = inspect(cohort.specimens[0])
    assert found.picture is not None
    assert found.picture.shape == (400, 400, 3)
    dark = (found.picture < 100).all(axis=-1)
    tall = np.flatnonzero(dark[:100].any(axis=0))  # the highest line is that of fat at 1.3 ppm, in the right half
    assert tall.min() > 200
    assert found.facts["linewidth"].endswith(" Hz")
    assert float(found.facts["signal to noise"]) > 1

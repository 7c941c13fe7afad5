"""Spectra: a spectrum with its fit, baseline, components and residual, as numbers for the viewer."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from hepatica.cohort.specimens import Specimen
from hepatica.runs.quantified import Quantification, quantified

DIGITS = 6
"""Significant digits that are sent (ours): more than a screen shows."""


def fitted(specimen: Specimen) -> dict[str, Any]:
    """ppm, data, fit, baseline and residual (w,), components by name, the largest first, quantities and flags.

    The fit is that of `hepatica quantify` without priors or networks: it shows the spectrum, and the model's score does
    not depend on it. HepaticaError where the file cannot be used.
    """
    water = specimen.attachments.get("water")
    return _fitted(specimen.path, specimen.path.stat().st_mtime_ns, water)


@lru_cache(maxsize=32)
def _fitted(path: Path, changed: int, water: Path | None) -> dict[str, Any]:
    found = quantified(path, water=water, settings=Quantification())
    drawn = found.drawn
    largest = sorted(drawn.components, key=lambda name: -float(np.abs(drawn.components[name]).max()))
    table = found.quantities.to_table()
    about = {name: value for name, value in found.about.items() if name in ("snr", "linewidth_hz", "averages", "te_ms")}
    return {
        "ppm": _numbers(drawn.ppm),
        "data": _numbers(drawn.data),
        "fit": _numbers(drawn.fit),
        "baseline": _numbers(drawn.baseline),
        "residual": _numbers(drawn.data - drawn.fit),
        "components": {name: _numbers(drawn.components[name]) for name in largest},
        "quantities": [
            {"name": row["target"], "value": _number(row["value"]), "sd": _number(row["sd"]), "unit": row["unit"]}
            for row in table.to_dict("records")
        ],
        "about": {name: _number(value) for name, value in about.items()},
        "flags": list(found.quantities.flags[0]),
    }


def _numbers(values: np.ndarray) -> list[float]:
    return [float(f"{each:.{DIGITS}g}") for each in np.asarray(values, float)]


def _number(value: Any) -> float | None:
    """A number with a few digits; None where it is missing, which JSON has no number for."""
    return float(f"{float(value):.4g}") if value is not None and np.isfinite(value) else None

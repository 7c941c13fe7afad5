"""Fits: the spectra that are explained, with what the MAP fit finds in them."""

from pathlib import Path

import numpy as np

from hepatica.cohort import load_cohort
from hepatica.cohort.atomic import read_json, write_json
from hepatica.runs.inputs import of_modality
from hepatica.spectroscopy.belief import belief_of
from hepatica.spectroscopy.fit_picture import draw_fit, drawn_fits
from hepatica.spectroscopy.map_fit import map_fit
from hepatica.spectroscopy.millimolar import millimolar
from hepatica.spectroscopy.priors import read_priors
from hepatica.systems.bae_2025_ccnn import SYSTEM, Settings

FITS = "fits"
"""Folder of the pictures in that of a cohort's results; fits.json, written last, lists them."""


def draw_fits(cohort_folder: Path, *, results: Path, settings: Settings) -> None:
    """Draw the MAP fit of each spectrum of `results`/explained that has a usable water reference."""
    cohort = load_cohort(cohort_folder)
    rows = {each["row"] for each in read_json(results / "explained" / "explained.json")}
    specimens = [each for each in of_modality(cohort.specimens, SYSTEM.modality) if each.row in rows]
    store = SYSTEM.prepare(specimens, settings, results / "prepared")
    scaled = millimolar(store)
    belief = belief_of(read_priors(), names=settings.model.names)
    usable = np.flatnonzero(scaled.scaled)
    values = scaled.values[usable]
    fit = map_fit(values, model=settings.model, belief=belief, noise_sd=scaled.noise_sd[usable])
    row_of = {each.specimen_id: each.row for each in specimens}
    files = []
    for drawn, name in zip(
        drawn_fits(fit.parameters.vector, values, model=settings.model),
        store.index["specimen_id"].iloc[usable],
        strict=True,
    ):
        row = row_of[name]
        path = results / FITS / f"specimen_{row:04d}_fit.png"
        draw_fit(drawn, path=path, title=f"specimen {row}: MAP fit", note="phantom" if cohort.phantom else "")
        files.append({"row": row, "file": path.name})
    write_json(results / FITS / "fits.json", files)

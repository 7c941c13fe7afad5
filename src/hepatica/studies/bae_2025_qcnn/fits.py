"""Fits: the spectra that are explained, with what the MAP fit finds in them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hepatica.cohort import load_cohort
from hepatica.cohort.atomic import read_json
from hepatica.cohort.seal import write_sealed
from hepatica.spectroscopy.cohorts.millimolar import millimolar
from hepatica.spectroscopy.cohorts.spectra import SpectraStore
from hepatica.spectroscopy.fitting.fit_picture import DrawnFit, draw_fit, drawn_fits
from hepatica.spectroscopy.fitting.least_squares import map_fit
from hepatica.spectroscopy.fitting.prior_terms import gaussian_prior_of
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.systems.bae_2025_ccnn import SYSTEM, Settings

FITS = "fits"
"""Folder of the pictures in that of a cohort's results; fits.json, written last, lists them."""


def draw_fits(cohort_folder: Path, *, results: Path, settings: Settings) -> None:
    """Draw the MAP fit of each spectrum of `results`/explained that has a usable water reference, highest score first.

    Without one a spectrum is not in mM, the unit of the priors, and is left out.
    """
    cohort = load_cohort(cohort_folder)
    explained = {each["row"]: each["score"] for each in read_json(results / "explained" / "explained.json")}
    specimens = [each for each in cohort.specimens_of("spectrum") if each.row in explained]
    store = SYSTEM.prepare(cohort.select(each.patient_id for each in specimens), settings, results / "prepared")
    rows = {each.specimen_id: each.row for each in specimens}
    drawn = dict(_drawn(store, settings))
    files = []
    for name in sorted(drawn, key=lambda name: explained[rows[name]], reverse=True):
        row, score = rows[name], explained[rows[name]]
        path = results / FITS / f"specimen_{row:04d}_fit.png"
        title = f"specimen in row {row}, score {score:.2f}: MAP fit"
        draw_fit(drawn[name], path=path, title=title, note="phantom" if cohort.phantom else "")
        files.append({"row": row, "score": score, "file": path.name})
    write_sealed(results / FITS / "fits.json", files)


def _drawn(store: SpectraStore, settings: Settings) -> Iterator[tuple[str, DrawnFit]]:
    """Specimen and fit of each spectrum that is in mM."""
    scaled = millimolar(store)
    usable = np.flatnonzero(scaled.scaled)
    if not usable.size:
        return
    values, model = scaled.values[usable], settings.model
    prior = gaussian_prior_of(read_priors(), names=model.names)
    fit = map_fit(values, model=model, prior=prior, noise_sd=scaled.noise_sd[usable])
    names = store.index["specimen_id"].iloc[usable]
    yield from zip(names, drawn_fits(fit.parameters.vector, values, model=model), strict=True)

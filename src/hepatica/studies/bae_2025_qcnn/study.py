"""Study: the analyses of Bae 2025 in their order.

cCNNs trained on simulation and locked, tested on patients held out and of other hospitals; qCNNs, and with them least
squares and MAP, on simulated spectra of known content, as trained and under other conditions. Statistics are the
report's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hepatica.cohort import RunError, load_cohort
from hepatica.cohort.atomic import read_json
from hepatica.cohort.seal import write_sealed
from hepatica.report import Chapter
from hepatica.report.chapters.quantification.spectra import FITS
from hepatica.report.page import Run, read_run
from hepatica.runs import LockedRun, explain, open_run, train, validate
from hepatica.spectroscopy.cohorts.millimolar import millimolar
from hepatica.spectroscopy.cohorts.spectra import SpectraStore
from hepatica.spectroscopy.fitting.fit_picture import DrawnFit, draw_fit, drawn_fits
from hepatica.spectroscopy.fitting.least_squares import map_fit
from hepatica.spectroscopy.fitting.prior_terms import gaussian_prior_of
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.quantify import Quantifier
from hepatica.spectroscopy.simulation.nuisance import OF_MODEL, STANDARD
from hepatica.spectroscopy.simulation.simulated_samples import TEST, SimulatedSamples
from hepatica.studies.bae_2025_qcnn.chapters import CHAPTERS
from hepatica.studies.bae_2025_qcnn.settings import QUANTIFIER, QUICK, StudySettings
from hepatica.studies.bae_2025_qcnn.simulated_test import METHODS, quantified, swept
from hepatica.studies.study import Study, Work
from hepatica.systems.bae_2025_ccnn import SYSTEM, Settings
from hepatica.systems.bae_2025_ccnn import SYSTEM as CCNN
from hepatica.systems.bae_2025_ccnn import Settings as CcnnSettings
from hepatica.systems.bae_2025_qcnn import SYSTEM as QCNN

TESTED = {"signal model": OF_MODEL, "everything": STANDARD}
"""Nuisance of the simulated spectra of the test: that of the fits' model alone, and every nuisance."""


TESTED_WITH = "study.json"
"""Numbers of simulated spectra in the study's folder, written before any is made."""

EXPLAINED = 4
"""Spectra drawn of each cohort, half of high and half of low score (ours)."""


def steps(work: Work) -> None:
    """Train and lock cCNNs and qCNNs, validate them, quantify simulated spectra, draw the fits and explanations.

    RunError where the folder was tested, or is to be, on other numbers of simulated spectra.
    """
    settings, run = work.settings, work.run
    work.say("cCNN: simulated groups, trained, locked")
    own = {name: getattr(settings, name) for name in CcnnSettings.__dataclass_fields__}
    train(CCNN, work.cohort, run=run, settings=CcnnSettings(**own), trainer=work.trainer)
    _keep_to(settings, run)
    work.say("qCNN: trained on the priors, calibrated, locked")
    train(QCNN, work.cohort, run=run / QUANTIFIER, settings=settings.quantifier, trainer=work.trainer)
    for name, folder in work.external.items():
        for locked in (run, run / QUANTIFIER):
            work.say(f"validation on {name}")
            validate(locked, folder, out=locked / "external" / name)
    _quantify(open_run(run / QUANTIFIER), work)
    _see(open_run(run), work)


def _keep_to(settings: StudySettings, run: Path) -> None:
    """Write how many spectra are simulated, or check what is written."""
    path, numbers = run / TESTED_WITH, {name: getattr(settings, name) for name in ("spectra", "swept")}
    if not path.exists():
        write_sealed(path, numbers)
    written = read_json(path)
    if written != numbers:
        raise RunError(
            f"{run} was started with {written}, not {numbers}; choose a new --run folder, or repeat the command it was"
            " started with"
        )


def _quantify(locked: LockedRun, work: Work) -> None:
    """Every method on simulated spectra, and again under other conditions."""
    settings, run = work.settings, work.run
    model = settings.model
    priors = read_priors().select(model.names)
    network: Any = locked.network
    quantifier = Quantifier(model=model, priors=priors, network=network.extractor)
    samples = SimulatedSamples(
        priors=priors, model=model, seed=settings.seed, stream=TEST, effects=settings.quantifier.simulated
    )

    def tested() -> pd.DataFrame:
        parts = []
        for name, effects in TESTED.items():
            drawn = replace(samples, effects=effects).at(np.arange(settings.spectra))
            table = quantified(drawn, quantifier=quantifier, priors=priors)
            parts.append(table.assign(nuisance=name))
        return pd.concat(parts, ignore_index=True)

    work.once(run / "quantified.parquet", tested, step=f"{settings.spectra} simulated spectra by every method")
    work.once(
        run / "robustness.parquet",
        lambda: swept(samples, quantifier=quantifier, methods=METHODS, spectra=settings.swept),
        step="the same methods under other conditions",
    )


def _see(locked: LockedRun, work: Work) -> None:
    for out, folder in work.results(work.run).items():
        if not (out / "explained" / "explained.json").exists():
            work.say(f"what the cCNN looks at in {folder.name}")
            explain(locked.folder.path, folder, results=out, specimens=EXPLAINED)
        if not (out / FITS / "fits.json").exists():
            work.say(f"fits drawn of {folder.name}")
            draw_fits(folder, results=out, settings=locked.settings)


def chapters(folder: Path) -> tuple[Run, Sequence[Chapter]]:
    """The run of the cCNNs, with the qCNNs' in `quantifier` and the tables of the study beside it.

    RunError where either is missing.
    """
    open_run(folder / QUANTIFIER)
    return read_run(folder), CHAPTERS


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


STUDY = Study(settings=StudySettings(), quick=QUICK, steps=steps, chapters=chapters)

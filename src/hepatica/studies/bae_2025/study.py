"""Study: the analyses of Bae 2025 in their order, each written down when it is done and never done twice.

cCNNs trained on simulation and locked, tested on patients held out and of other hospitals; qCNNs, and with them least
squares and MAP, on simulated spectra of known content, as trained and under other conditions. Statistics are the
report's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from hepatica.cohort import RunError, load_cohort
from hepatica.cohort.atomic import read_json, replacing, write_json
from hepatica.runs import LockedRun, explain, open_run, train, validate
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.quantify import Quantifier
from hepatica.spectroscopy.simulation.nuisance import OF_MODEL, STANDARD
from hepatica.spectroscopy.simulation.simulated_samples import TEST, SimulatedSamples
from hepatica.studies.bae_2025.fits import FITS, draw_fits
from hepatica.studies.bae_2025.robustness import swept
from hepatica.studies.bae_2025.settings import StudySettings
from hepatica.studies.bae_2025.simulated_test import METHODS, quantified
from hepatica.studies.external import check_external, external_names
from hepatica.systems.bae_2025_ccnn import SYSTEM as CCNN
from hepatica.systems.bae_2025_ccnn import Settings as CcnnSettings
from hepatica.systems.bae_2025_qcnn import SYSTEM as QCNN

QUANTIFIER = "quantifier"
"""Folder of the qCNNs' run within the study's."""

TESTED = {"signal model": OF_MODEL, "everything": STANDARD}
"""What spoils the simulated spectra of the test: what the fits' model knows alone, and all of it."""


TESTED_WITH = "study.json"
"""Numbers of simulated spectra in the study's folder, written before any is made."""

EXPLAINED = 4
"""Spectra drawn of each cohort, half of high and half of low score (ours)."""


def study(
    cohort_folder: Path,
    *,
    run: Path,
    external: Sequence[Path] = (),
    settings: StudySettings | None = None,
    trainer: Mapping[str, Any] | None = None,
) -> Path:
    """Do the whole study in the folder `run`, and return it; what was done there before is not done again.

    `external` are cohort folders to validate on. Raises what training and validating raise, and RunError where `run`
    was tested, or is to be, on other numbers of simulated spectra.
    """
    settings = settings or StudySettings()
    check_external(external, cohort=load_cohort(cohort_folder), endpoint=settings.endpoint)
    _say("cCNN: simulated groups, trained, locked")
    own = {name: getattr(settings, name) for name in CcnnSettings.__dataclass_fields__}
    train(CCNN, cohort_folder, run=run, settings=CcnnSettings(**own), trainer=trainer)
    _keep_to(settings, run)
    _say("qCNN: trained on the priors, calibrated, locked")
    train(QCNN, cohort_folder, run=run / QUANTIFIER, settings=settings.quantifier, trainer=trainer)
    for folder, name in zip(external, external_names(external), strict=True):
        for locked in (run, run / QUANTIFIER):
            _say(f"validation on {name}")
            validate(locked, folder, out=locked / "external" / name)
    _quantify(open_run(run / QUANTIFIER), run, settings)
    _see(open_run(run), {cohort_folder: run} | _results(run, external))
    return run


def _keep_to(settings: StudySettings, run: Path) -> None:
    """Write down how many spectra are simulated, or find it written."""
    path, wanted = run / TESTED_WITH, {name: getattr(settings, name) for name in ("spectra", "swept")}
    if not path.exists():
        write_json(path, wanted)
    written = read_json(path)
    if written != wanted:
        raise RunError(
            f"{run} was started with {written}, not {wanted}; choose a new --run folder, or repeat the command it was"
            " started with"
        )


def _results(run: Path, external: Sequence[Path]) -> dict[Path, Path]:
    return {folder: run / "external" / name for folder, name in zip(external, external_names(external), strict=True)}


def _quantify(locked: LockedRun, run: Path, settings: StudySettings) -> None:
    """Every method on simulated spectra, and again under other conditions."""
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
            parts.append(table.assign(spoilt_by=name))
        return pd.concat(parts, ignore_index=True)

    _once(run / "quantified.parquet", tested, f"{settings.spectra} simulated spectra by every method")
    _once(
        run / "robustness.parquet",
        lambda: swept(samples, quantifier=quantifier, methods=METHODS, spectra=settings.swept),
        "the same methods under other conditions",
    )


def _once(path: Path, made: Callable[[], pd.DataFrame], step: str) -> None:
    if path.exists():
        return
    _say(step)
    table = made()
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False)


def _see(locked: LockedRun, results: Mapping[Path, Path]) -> None:
    for folder, out in results.items():
        if not (out / "explained" / "explained.json").exists():
            _say(f"what the cCNN looks at in {folder.name}")
            explain(locked.folder.path, folder, results=out, specimens=EXPLAINED)
        if not (out / FITS / "fits.json").exists():
            _say(f"fits drawn of {folder.name}")
            draw_fits(folder, results=out, settings=locked.settings)


def _say(step: str) -> None:
    Console(stderr=True).print(f"study: {step}", highlight=False)

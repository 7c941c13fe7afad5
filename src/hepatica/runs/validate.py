"""Validate: a locked model on the patients of another cohort, nothing refitted, nothing chosen."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hepatica.cohort import Cohort, CohortError, Months, load_cohort
from hepatica.runs.engine import ALONE, Engine
from hepatica.runs.lock import changed, open_run, patient_digest
from hepatica.runs.results import write_results
from hepatica.runs.spread import do_share


def validate(
    run: Path,
    cohort: Cohort | str | Path,
    *,
    out: Path,
    changes: Mapping[str, Any] | None = None,
    least_follow_up: Months | None = None,
    prepared: Path | None = None,
    engine: Engine = ALONE,
) -> None:
    """Predict a cohort with a locked model and evaluate it at the locked cut-offs; results go into `out`.

    Patients the system would not train on are predicted and set aside, as in training. CohortError when a patient was
    seen in training; ids count as the same person only within one `hospital` of cohort.toml.

    `changes` are settings of reading that may differ from training, such as fewer tiles a slide, and no others
    (SettingsError). Patients followed event-free for less than `least_follow_up` months are predicted, not reported.
    `prepared` is a folder of prepared specimens to share with other runs, by default one in `out`; `engine` prepares
    them.
    """
    locked = changed(open_run(run), changes or {})
    cohort = load_cohort(cohort)
    known = [patient for patient in cohort.patients.index if patient_digest(cohort.hospital, patient) in locked.seen]
    if known:
        raise CohortError(
            f"{len(known)} of {len(cohort.patients)} patients of {cohort.name} were in training or validation of {run};"
            " remove them, or if they are other people with the same ids, give cohort.toml the name of their hospital"
        )
    out.mkdir(parents=True, exist_ok=True)
    if engine.share:
        do_share(locked.system, cohort, locked.settings, prepared or out / "prepared", engine=engine)
    eligible = set(locked.system.trainable(cohort, locked.settings))
    folds = cohort.patients.index.to_series().map(lambda patient: "external" if patient in eligible else "set_aside")
    if least_follow_up is not None:
        endpoint = cohort.endpoint(locked.system.tasks(locked.settings)[0].endpoint)
        folds = folds.mask(endpoint.label(cohort.patients, horizon=least_follow_up).isna(), "short_follow_up")
    write_results(
        locked,
        cohort=cohort,
        folds=folds,
        out=out,
        reported_folds=("external", "set_aside"),
        prepared=prepared or out / "prepared",
        changes=changes,
        engine=engine,
    )

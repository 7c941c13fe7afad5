"""Validate: a locked model on the patients of another cohort, nothing refitted, nothing chosen."""

from pathlib import Path

from hepatica.cohort import CohortError, load_cohort
from hepatica.runs.folder import RunFolder
from hepatica.runs.lock import open_run, patient_digest
from hepatica.runs.results import write_results


def validate(run: Path, cohort_folder: Path, *, out: Path) -> None:
    """Predict a cohort with a locked model and evaluate it at the locked cut-offs; results go into `out`.

    Patients the system would not train on are predicted and set aside, as in training. CohortError when a patient was
    seen in training; ids count as the same person only within one `hospital` of cohort.toml.
    """
    locked = open_run(run)
    cohort = load_cohort(cohort_folder)
    known = [patient for patient in cohort.patients.index if patient_digest(cohort.hospital, patient) in locked.seen]
    if known:
        raise CohortError(
            f"{len(known)} of {len(cohort.patients)} patients of {cohort.name} were in training or validation of {run};"
            " remove them, or if they are other people with the same ids, give cohort.toml the name of their hospital"
        )
    out.mkdir(parents=True, exist_ok=True)
    eligible = set(locked.system.eligible(cohort, locked.settings))
    folds = cohort.patients.index.to_series().map(lambda patient: "external" if patient in eligible else "set_aside")
    write_results(locked, cohort=cohort, folds=folds, out=out, reported_folds=("external", "set_aside"))
    RunFolder(out).log("validated", cohort=cohort.name)

"""Work: what the worker processes do for the workbench; each kind is the command of the same name, and nothing else."""

import json
import logging
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from traceback import format_tb
from typing import Any

from hepatica.cohort.errors import HepaticaError, RunError
from hepatica.cohort.head import FILE
from hepatica.runs.jobs import PATIENCE_S, Job, Jobs
from hepatica.runs.workers import Work
from hepatica.serve.arrangement import arranged
from hepatica.serve.catalogue import find_cohort, find_run, folder_of
from hepatica.serve.guard import guarded
from hepatica.serve.settings import Settings, of_environment

LOG = logging.getLogger(__name__)

Progress = Callable[[float], bool]
LOGGED = 200
"""Lines of a log that are shown."""

LOOKED_AT = 24
"""Specimens whose thumbnails a check makes (ours): about a minute for slides."""


def predict(job: Job, settings: Settings) -> dict[str, Any]:
    """Predict a case, as `hepatica predict` does."""
    from hepatica.cohort import NotAssessableError
    from hepatica.report.documents.predictions_page import write_predictions_page
    from hepatica.runs import predict as predict_run

    folder = settings.data / "cases" / job.given["case"]
    if not (folder / "inputs").is_dir():
        raise RunError("the files of this case were removed; submit them again")
    run, out = find_run(settings, job.given["run"]), folder / "result"
    with suppress(NotAssessableError):  # a result: the page has the reason of each
        predict_run(run, arranged(folder / "inputs", run=run, into=folder / "arranged"), out=out)
    write_predictions_page(run, out=out)
    for each in (out / "prepared", folder / "arranged"):
        shutil.rmtree(each, ignore_errors=True)
    return {"case": job.given["case"]}


def train(job: Job, settings: Settings) -> dict[str, Any]:
    """Train, and write the report."""
    from hepatica.protocol import override
    from hepatica.report import write_report
    from hepatica.runs import train as train_run
    from hepatica.systems import find_system

    given = job.given
    system, run = find_system(given["system"]), folder_of(settings, given["run"])
    chosen = override(system.quick if given["quick"] else system.settings, given["settings"])
    train_run(system, find_cohort(settings, given["cohort"]), run=run, settings=chosen)
    write_report(run)
    return {"run": given["run"]}


def validate(job: Job, settings: Settings) -> dict[str, Any]:
    """Validate, and write the report anew."""
    from hepatica.report import write_report
    from hepatica.runs import validate as validate_run

    run, cohort = find_run(settings, job.given["run"]), find_cohort(settings, job.given["cohort"])
    validate_run(run, cohort, out=run / "external" / job.given["cohort"])
    write_report(run)
    return {"run": job.given["run"]}


def study(job: Job, settings: Settings) -> dict[str, Any]:
    """Do a study, and write its report."""
    from hepatica.studies import find_study, run_study, write_study_report

    given = job.given
    folder, found = folder_of(settings, given["run"]), find_study(given["study"])
    external = [find_cohort(settings, each) for each in given["external"]]
    chosen = found.quick if given["quick"] else found.settings
    run_study(given["study"], find_cohort(settings, given["cohort"]), run=folder, external=external, settings=chosen)
    write_study_report(given["study"], folder)
    return {"run": given["run"]}


def check(job: Job, settings: Settings) -> dict[str, Any]:
    """Look at a cohort, as `hepatica check` does, and write its page."""
    from hepatica.report.documents.cohort_page import write_cohort_page
    from hepatica.runs.check import check as check_cohort

    folder, path = find_cohort(settings, job.given["cohort"]), page_of_check(settings, job.given)
    if tables_of(folder) != job.given["tables"]:
        raise RunError("the tables of the cohort have changed since; look at it again")
    write_cohort_page(check_cohort(folder, specimens=LOOKED_AT), path=path)
    for other in path.parent.glob(f"{job.given['cohort']}_{'[0-9a-f]' * 16}.html"):
        if other != path:  # of other tables
            other.unlink(missing_ok=True)
    return {"cohort": job.given["cohort"]}


def tables_of(cohort: Path) -> str:
    """Digest of the tables of a cohort folder."""
    files = [*sorted(cohort.glob("*.csv")), cohort / FILE]
    return sha256(b"".join(each.read_bytes() for each in files)).hexdigest()


def page_of_check(settings: Settings, given: Mapping[str, Any]) -> Path:
    """Where the page of a check is, by what its job is given: a cohort, and the digest of its tables."""
    return settings.data / "checks" / f"{given['cohort']}_{given['tables'][:16]}.html"


def report(job: Job, settings: Settings) -> dict[str, Any]:
    """Write the report of a run."""
    from hepatica.report import write_report

    write_report(find_run(settings, job.given["run"]))
    return {"run": job.given["run"]}


def log_of(settings: Settings, job: Job) -> list[dict[str, Any]]:
    """The last lines of the log in the folder that a job writes; none where there is none yet."""
    given = job.given
    if job.kind == "check":
        return []
    if job.kind == "predict":
        folder = settings.data / "cases" / given["case"] / "result"
    else:
        own = folder_of(settings, given["run"])
        folder = own if own.exists() or job.kind in ("train", "study") else find_run(settings, given["run"])
    path = folder / "log.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()[-LOGGED:] if path.is_file() else []
    return [json.loads(each) for each in lines if each.endswith("}")]


def _watched(do: Callable[[Job, Settings], dict[str, Any]], job: Job, _: Progress, *, files: bool) -> dict[str, Any]:
    """Do it under guard; of a job that reads files that were sent in, also memory and time are bounded."""
    settings = of_environment()
    memory, seconds = (settings.memory_bytes, settings.longest_case_s) if files else (None, None)
    with guarded(Jobs(settings.where, patience_s=PATIENCE_S), job, memory=memory, seconds=seconds):
        try:
            return do(job, settings)
        except HepaticaError:
            raise
        except Exception as error:  # its text may quote a file that was sent in, or a name within an archive
            if not files:
                raise
            LOG.error("job %s: %s\n%s", job.key, type(error).__name__, "".join(format_tb(error.__traceback__)))
            raise RunError(f"{type(error).__name__}, a fault of hepatica; the log of the worker has more") from None


KINDS: dict[str, Work] = {
    do.__name__: partial(_watched, do, files=do in (predict, check))
    for do in (predict, check, train, validate, study, report)
}
"""By the kind of a job; see `runs.workers`."""

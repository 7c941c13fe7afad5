"""Work: what the worker processes do for the workbench; each kind is the command of the same name, and nothing else."""

from collections.abc import Callable
from typing import Any

from hepatica.runs.jobs import Job
from hepatica.runs.workers import Work
from hepatica.serve.arrangement import arranged
from hepatica.serve.catalogue import find_run
from hepatica.serve.settings import of_environment

Progress = Callable[[float], bool]


def predict(job: Job, progress: Progress) -> dict[str, Any]:
    """Predict a case, as `hepatica predict` does."""
    from hepatica.cohort import NotAssessableError
    from hepatica.report.documents.predictions_page import write_predictions_page
    from hepatica.runs import predict as predict_run

    settings = of_environment()
    folder = settings.data / "cases" / job.given["case"]
    run, out = find_run(settings, job.given["run"]), folder / "result"
    try:
        predict_run(run, arranged(folder / "inputs", run=run, into=folder / "cohort"), out=out)
    except NotAssessableError:
        pass  # a result: the page has the reason of each
    write_predictions_page(run, out=out)
    return {"case": job.given["case"]}


KINDS: dict[str, Work] = {"predict": predict}
"""By the kind of a job; see `runs.workers`."""

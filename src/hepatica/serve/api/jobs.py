"""Jobs: what the workers do; start a training, a validation, a study or a report; stop one, and try one again."""

from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from hepatica.runs.jobs import Job, State
from hepatica.serve.accounts import User
from hepatica.serve.api.answers import REFUSALS, Bench, Operator, Plain, Viewer
from hepatica.serve.cases import ID
from hepatica.serve.catalogue import find_cohort, find_run, folder_of
from hepatica.serve.refusals import ConflictError, NotFoundError
from hepatica.serve.work import log_of
from hepatica.serve.workbench import Workbench

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"], responses=REFUSALS)
Key = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
NewName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,60}$")]
Values = dict[Plain, bool | int | float | Plain]


class ShownJob(BaseModel):
    """A job. `attempts` counts how often it was begun; of a case, `key` is its id."""

    key: str
    kind: str
    about: dict[str, Any]
    state: State
    progress: float
    attempts: int
    error: str


class Training(BaseModel):
    """Train `system` on `cohort` as the new run `run`; `settings` change single ones."""

    system: Plain = Field(max_length=100)
    cohort: Plain = Field(max_length=300)
    run: NewName
    quick: bool = False
    settings: Values = Field(default_factory=dict, max_length=100)


class Validation(BaseModel):
    """Test the locked model of `run` on `cohort`."""

    run: Plain = Field(max_length=300)
    cohort: Plain = Field(max_length=300)


class Study(BaseModel):
    """Every analysis of a paper, on `cohort`, validated on `external` ones, as the new folder `run`."""

    study: Plain = Field(max_length=100)
    cohort: Plain = Field(max_length=300)
    run: NewName
    external: list[Plain] = Field(default_factory=list, max_length=20)
    quick: bool = False


class Reported(BaseModel):
    """Write the report of `run`."""

    run: Plain = Field(max_length=300)


def shown(job: Job) -> ShownJob:
    """What is said of a job."""
    return ShownJob(
        key=job.key, kind=job.kind, about=job.given, state=job.state, progress=job.progress, attempts=job.attempts,
        error=job.error,
    )  # fmt: skip


def job_of(bench: Workbench, key: str) -> Job:
    """The job of this key; NotFoundError where there is none."""
    if not ID.fullmatch(key) or (found := bench.jobs.get(key)) is None:
        raise NotFoundError("there is no job of that key")
    return found


@router.get("")
def every(bench: Bench, user: Viewer) -> list[ShownJob]:
    """All jobs, in the order in which they were added."""
    return [shown(each) for each in bench.jobs.all()]


@router.get("/{key}")
def one(key: Key, bench: Bench, user: Viewer) -> ShownJob:
    """A job."""
    return shown(job_of(bench, key))


@router.get("/{key}/log")
def log(key: Key, bench: Bench, user: Viewer) -> list[dict[str, Any]]:
    """The last lines of the log of the folder that a job writes: counts and steps, no patients."""
    return log_of(bench.settings, job_of(bench, key))


@router.post("/{key}/cancel")
def cancel(key: Key, bench: Bench, user: Operator) -> ShownJob:
    """Stop a job, which can be tried again and goes on where it was."""
    job_of(bench, key)
    if not bench.jobs.cancel(key):
        raise ConflictError("the job has ended already")
    bench.audit.record(user.name, "cancelled job", key)
    return shown(job_of(bench, key))


@router.post("/{key}/retry")
def retry(key: Key, bench: Bench, user: Operator) -> ShownJob:
    """Let a job that failed, was set aside or cancelled wait again."""
    job_of(bench, key)
    if not bench.jobs.retry(key):
        raise ConflictError("the job waits, runs or is done")
    bench.audit.record(user.name, "retried job", key)
    return shown(job_of(bench, key))


@router.post("/train", status_code=201)
def train(asked: Training, bench: Bench, user: Operator) -> ShownJob:
    """Train a system; the same request again is the same job."""
    find_cohort(bench.settings, asked.cohort)
    return _added(bench, user, "train", asked)


@router.post("/validate", status_code=201)
def validate(asked: Validation, bench: Bench, user: Operator) -> ShownJob:
    """Validate a run."""
    find_run(bench.settings, asked.run)
    find_cohort(bench.settings, asked.cohort)
    return _added(bench, user, "validate", asked)


@router.post("/study", status_code=201)
def study(asked: Study, bench: Bench, user: Operator) -> ShownJob:
    """Do a study."""
    for each in (asked.cohort, *asked.external):
        find_cohort(bench.settings, each)
    return _added(bench, user, "study", asked)


@router.post("/report", status_code=201)
def report(asked: Reported, bench: Bench, user: Operator) -> ShownJob:
    """Write a report anew, also where the last one is done."""
    find_run(bench.settings, asked.run)
    return _added(bench, user, "report", asked)


def _added(bench: Workbench, user: User, kind: str, asked: BaseModel) -> ShownJob:
    given = asked.model_dump()
    if kind in ("train", "study"):
        _refuse_taken(bench, kind, given)
    key = bench.jobs.add(kind, given, key=uuid4().hex if kind == "report" else None)
    bench.audit.record(user.name, f"started {kind}", key)
    return shown(job_of(bench, key))


def _refuse_taken(bench: Workbench, kind: str, given: dict[str, Any]) -> None:
    others = [each for each in bench.jobs.all(kind=kind) if each.given["run"] == given["run"]]
    if any(each.given != given for each in others) or (not others and folder_of(bench.settings, given["run"]).exists()):
        raise ConflictError(f"there is a run {given['run']} already; choose another name")

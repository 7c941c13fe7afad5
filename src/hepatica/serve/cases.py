"""Cases: what was submitted to a locked model, each once, with the job that predicts it and what came of it."""

import hashlib
import re
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from hepatica.cohort.digests import content_digest, file_digest
from hepatica.runs import RunFolder
from hepatica.runs.jobs import Job, Jobs, State
from hepatica.serve.catalogue import find_run, modality_of
from hepatica.serve.database import CaseRow, Database
from hepatica.serve.file_kinds import unsuitable
from hepatica.serve.refusals import ConflictError, NotFoundError, UnsuitableError
from hepatica.serve.settings import Settings

PREDICT = "predict"
GONE = "there is no case of that id, or it was removed"

ID = re.compile("[0-9a-f]{32}")

LEFT_S = 3600.0
"""Seconds after which a folder without a case is what a deletion that was cut short has left."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One submission. `run` is the name of its model's run, `kind` the modality, such as slide or ct; `state`,
    `progress` (0 to 1) and `error` are those of its job; `created` are seconds since 1970, UTC. `inputs` is the folder
    of what was submitted, `result` the one that `runs.predict` writes.
    """

    case_id: str
    run: str
    kind: str
    state: State
    progress: float
    error: str
    created: float
    owner: str
    inputs: Path
    result: Path
    origin: Mapping[str, str] = field(default_factory=dict)


class Cases:
    """The cases of a workbench. Two submissions of the same files to the same model are one case."""

    def __init__(self, settings: Settings, *, database: Database, jobs: Jobs) -> None:
        self.settings, self.database, self.jobs = settings, database, jobs

    def submit(self, files: Path, *, run: str, owner: str = "", origin: Mapping[str, str] | None = None) -> Case:
        """The case of a file or folder, which is moved in, and is to be predicted; the earlier one if there is one.

        A submission that was interrupted is completed by the same one. NotFoundError for an unknown run, RunError for
        one without a locked model.
        """
        folder = find_run(self.settings, run)
        if not RunFolder(folder).model.is_file():
            raise ConflictError(f"the run {run} has no locked model yet")
        if not (own := content_digest(files)):
            raise ConflictError("what was submitted is empty")
        kind = modality_of(folder)
        if why := unsuitable(_files(files), modality=kind):
            raise UnsuitableError(why)
        content = hashlib.sha256(own + file_digest(RunFolder(folder).model).encode()).hexdigest()
        row = self._row(content) or self._add(content, run=run, kind=kind, owner=owner, origin=origin)
        self._take(files, self._folder(row.case_id))
        self.jobs.add(PREDICT, {"case": row.case_id, "run": run}, key=row.case_id)
        return self.get(row.case_id)

    def takes(self, run: str) -> bool:
        """Whether cases can be submitted to a run: it is there and has a locked model."""
        try:
            return RunFolder(find_run(self.settings, run)).model.is_file()
        except NotFoundError:
            return False

    def get(self, case_id: str) -> Case:
        """The case of this id; NotFoundError where there is none, or no longer."""
        if not ID.fullmatch(case_id):
            raise NotFoundError(GONE)
        with self.database.session() as session:
            row = session.get(CaseRow, case_id)
        job = self.jobs.get(case_id)
        if row is None or job is None:
            raise NotFoundError(GONE)
        return self._case(row, job)

    def all(self) -> list[Case]:
        """Every case, the newest first."""
        with self.database.session() as session:
            rows = session.scalars(select(CaseRow).order_by(CaseRow.created.desc())).all()
        jobs = {each.key: each for each in self.jobs.all(kind=PREDICT)}
        return [self._case(row, jobs[row.case_id]) for row in rows if row.case_id in jobs]

    def delete(self, case_id: str) -> None:
        """Remove a case with its files and results; its job, without anything of them, remains as cancelled or done."""
        self.jobs.cancel(case_id)
        with self.database.session() as session:
            if not session.execute(delete(CaseRow).where(CaseRow.case_id == case_id).returning(CaseRow.case_id)).all():
                raise NotFoundError(GONE)
        shutil.rmtree(self._folder(case_id), ignore_errors=True)

    def expire(self) -> list[str]:
        """Remove the cases that are older than `retention_days`, and what deletions that were cut short have left;
        the ids of the cases.
        """
        days = self.settings.retention_days
        before = 0.0 if days is None else time.time() - days * 86400
        with self.database.session() as session:
            old = list(session.scalars(select(CaseRow.case_id).where(CaseRow.created < before)))
            known = set(session.scalars(select(CaseRow.case_id)))
        for each in old:
            with suppress(NotFoundError):  # someone was faster
                self.delete(each)
        for folder in (self.settings.data / "cases").glob("*"):
            with suppress(FileNotFoundError):
                if folder.name not in known and folder.stat().st_mtime < time.time() - LEFT_S:
                    shutil.rmtree(folder, ignore_errors=True)
        return old

    def _row(self, content: str) -> CaseRow | None:
        with self.database.session() as session:
            return session.scalars(select(CaseRow).where(CaseRow.content == content)).first()

    def _add(self, content: str, *, origin: Mapping[str, str] | None, **facts: Any) -> CaseRow:
        """Its row, or that of whoever was faster."""
        row = CaseRow(case_id=uuid4().hex, content=content, created=time.time(), origin=dict(origin or {}), **facts)
        try:
            with self.database.session() as session:
                session.add(row)
        except IntegrityError:
            if found := self._row(content):
                return found
            raise
        return row

    @staticmethod
    def _take(files: Path, folder: Path) -> None:
        """Move in what was submitted, whole or not at all; what is there already stays, and the other copy goes."""
        folder.mkdir(parents=True, exist_ok=True)
        coming = folder / f"coming_{uuid4().hex}"
        if files.is_dir():
            shutil.move(files, coming)
        else:
            coming.mkdir()
            shutil.move(files, coming / files.name)
        try:
            coming.rename(folder / "inputs")
        except OSError:
            if not (folder / "inputs").is_dir():
                raise
            shutil.rmtree(coming)

    def _folder(self, case_id: str) -> Path:
        return self.settings.data / "cases" / case_id

    def _case(self, row: CaseRow, job: Job) -> Case:
        folder = self._folder(row.case_id)
        return Case(
            case_id=row.case_id, run=row.run, kind=row.kind, state=job.state, progress=job.progress, error=job.error,
            created=row.created, owner=row.owner, origin=row.origin, inputs=folder / "inputs",
            result=folder / "result",
        )  # fmt: skip


def _files(path: Path) -> list[Path]:
    return [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]

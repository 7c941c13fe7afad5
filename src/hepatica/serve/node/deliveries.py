"""Deliveries: results on their way to the archives, kept in a table of jobs until each archive has them."""

import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pydicom

from hepatica.cohort import read_predictions
from hepatica.cohort.applicability import UNUSUAL
from hepatica.cohort.errors import HepaticaError, RunError, SettingsError, UnavailableError
from hepatica.cohort.seal import every_unaltered
from hepatica.radiology.dicom.frames import tolerant
from hepatica.runs.jobs import Job, Jobs
from hepatica.runs.workers import Work
from hepatica.serve.node.c_store import c_store, notify
from hepatica.serve.node.dicomweb import DicomWeb
from hepatica.serve.node.sent import Sent
from hepatica.serve.node.settings import Archive, NodeSettings

LOG = logging.getLogger(__name__)

FIRST_WAIT_S, LONGEST_WAIT_S = 10.0, 3600.0
"""Seconds before a delivery that failed is tried again: the first time, doubled each time, and at most. Ours."""


class Deliveries:
    """Results of cases, sent to each archive once it takes them; `cases` is the folder that has CASE/result.

    A delivery is a job, `deliver` or `notify`, in a table of its own, for the workers of the workbench do not know the
    archives. One that failed waits in the table as such; when it is tried again is known to this process alone, so that
    after a restart all are tried at once. Nothing is given up. `clock` are seconds that never jump.
    """

    def __init__(
        self, settings: NodeSettings, *, table: Path, cases: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.settings, self.cases, self.jobs, self._clock = settings, cases, Jobs(table), clock
        self._waits: dict[str, tuple[float, float]] = {}
        self.kinds: dict[str, Work] = {"deliver": self._deliver, "notify": self._notify}

    def add(self, kind: str, **given: str) -> str:
        """The key of a job about a `case` and an `archive`; asked for twice, it is one job.

        `deliver` sends the results, `notify` a note that they are in the archive titled `at`.
        """
        return self.jobs.add(kind, given)

    def done(self, keys: Iterable[str]) -> bool:
        """Whether all of these have been taken; those that failed are sent on their way again, each when its time has
        come.
        """
        found = [self.jobs.get(key) for key in keys]
        for job in found:
            if job is not None and job.state in ("failed", "quarantined"):
                self._again(job)
        return all(job is not None and job.state == "done" for job in found)

    def _again(self, job: Job) -> None:
        wait, due = self._waits.get(job.key, (0.0, 0.0))
        if not wait or (due and self._clock() >= due):
            following = min(2 * wait, LONGEST_WAIT_S) if wait else FIRST_WAIT_S
            LOG.warning("case %s to %s: %s", job.given["case"], job.given["archive"], job.error)
            self._waits[job.key] = (following, self._clock() + following)
            if wait:
                self.jobs.retry(job.key)

    def _deliver(self, job: Job, progress: Callable[[float], bool]) -> dict[str, Any]:
        archive = self._archive(job)
        sent = send(self._files(job), archive=archive, title=self.settings.title)
        said = f"{sent.stored} objects taken" + "".join(f", {what}: {why}" for what, why in sent.refused.items())
        LOG.log(logging.WARNING if sent.refused else logging.INFO, "case %s to %s: %s",
                job.given["case"], job.given["archive"], said)  # fmt: skip
        return {"stored": sent.stored, "refused": sent.refused}

    def _notify(self, job: Job, progress: Callable[[float], bool]) -> dict[str, Any]:
        with tolerant():
            objects = [pydicom.dcmread(path, stop_before_pixels=True) for path in self._files(job)]
        notify(objects, archive=self._archive(job), title=self.settings.title, at=job.given["at"])
        LOG.info("case %s: %s was notified", job.given["case"], job.given["archive"])
        return {"objects": len(objects)}

    def _archive(self, job: Job) -> Archive:
        if job.given["archive"] not in self.settings.archives:
            raise SettingsError(f"the archive {job.given['archive']} is no longer in the settings; name it again")
        return self.settings.archives[job.given["archive"]]

    def _files(self, job: Job) -> list[Path]:
        folders = sorted((self.cases / job.given["case"] / "result").glob("specimen_*_dicom"))
        files = [file for each in folders for file in every_unaltered(each)]
        if not files:
            raise RunError("the case has no results, or was removed")
        return files


def objects_of(result: Path) -> list[Path]:
    """What a case's result has for archives."""
    return sorted(result.glob("specimen_*_dicom/*.dcm"))


def send(files: list[Path], *, archive: Archive, title: str) -> Sent:
    """Send DICOM files to an archive, in the way that it takes them; UnavailableError where it does not, for now."""
    try:
        if archive.url is None:
            return c_store(files, archive=archive, title=title)
        path, tls = archive.authorization, archive.tls
        authorization = None if path is None else path.read_text(encoding="ascii").strip()
        with DicomWeb(archive.url, authorization=authorization, tls=None if tls is None else tls.client()) as web:
            return web.store(files)
    except HepaticaError:
        raise
    except Exception as error:  # its text may quote an attribute
        raise UnavailableError(f"{type(error).__name__} while sending; all is sent again later") from error


def is_urgent(result: Path) -> bool:
    """Whether a patient is called at or above the locked cut-off, by a score that may be relied on."""
    table = read_predictions(result / "predictions.csv")
    patients = table[table["specimen_id"].isna() & table["lesion_id"].isna()]
    sound = (patients["applicability"] != UNUSUAL) & ~patients["seen_in_training"].astype(bool)
    return bool(((patients["group"] == "high") & sound).any())

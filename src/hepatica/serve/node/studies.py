"""Studies: from the last image that arrives to the last archive that has the results."""

import logging
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from hepatica.cohort.atomic import read_json, write_json
from hepatica.cohort.errors import HepaticaError
from hepatica.serve.cases import Case
from hepatica.serve.node.deliveries import Deliveries, is_urgent, objects_of
from hepatica.serve.node.rules import Rule, chosen, image_of
from hepatica.serve.node.settings import NodeSettings
from hepatica.serve.node.spool import Spool

LOG = logging.getLogger(__name__)

RECORD = "record.json"
DAY_S = 86400.0
EXPIRY_STEPS = 120
"""Steps between two looks at what is old. Ours."""


class CaseStore(Protocol):
    """What is needed of `serve.cases.Cases`."""

    def submit(self, files: Path, *, run: str, origin: dict[str, str]) -> Case:
        """The case of these files."""
        ...

    def get(self, case_id: str) -> Case:
        """The case of this id."""
        ...

    def takes(self, run: str) -> bool:
        """Whether a run has a locked model."""
        ...


@dataclass
class Record:
    """What was done with a study: how many images it had, the cases made of them, and where each one's results go."""

    images: int
    complete: bool = True
    """Whether a rule matched, and each that did gave a case."""
    unmade: dict[str, str] = field(default_factory=dict)
    """Runs of rules that matched and gave no case, and why: it may be missing, or not locked yet."""
    cases: dict[str, list[str]] = field(default_factory=dict)
    notify: dict[str, str] = field(default_factory=dict)
    finished: bool = False


class Studies:
    """Follows the studies of a spool; every step may be interrupted, and is then done again to the same effect."""

    def __init__(
        self, settings: NodeSettings, *, spool: Spool, cases: CaseStore, deliveries: Deliveries, staging: Path
    ) -> None:
        self.settings, self.spool, self.cases, self.deliveries = settings, spool, cases, deliveries
        self._staging, self._steps, self._said = staging, 0, dict[str, str]()
        shutil.rmtree(staging, ignore_errors=True)
        self._records = {study: found for study in spool.studies() if (found := self._read(study)) is not None}
        for study in spool.studies():
            self._recover(study)

    def step(self) -> None:
        """Submit what is quiet, send what is done, remove what is old; a fault of one study delays no other."""
        for study, word in self.spool.quiet(for_s=self.settings.quiet_s).items():
            self._attempt(study, partial(self._submit, study, word=word))
        for study in [name for name, record in self._records.items() if not record.finished]:
            self._attempt(study, partial(self._follow, study))
        if self._steps % EXPIRY_STEPS == 0:
            for study, record in [(name, each) for name, each in self._records.items() if each.finished]:
                self._expire(study)
                if (
                    study in self._records
                    and not self.spool.is_open(study)
                    and any(map(self.cases.takes, record.unmade))
                ):
                    self._attempt(study, partial(self._make, study))
        self._steps += 1

    def waiting(self) -> int:
        """How many studies have cases whose results are not in every archive."""
        return sum(not each.finished for each in self._records.values())

    def _attempt(self, study: str, action: Callable[[], None]) -> None:
        try:
            action()
            self._said.pop(study, None)
        except Exception as error:
            if self._said.get(study) != _short(error):  # once, lest a fault that stays fill the disk with its log
                LOG.error("study %s: %s; tried again until it can be done", study[:8], _short(error))
            self._said[study] = _short(error)
            self.spool.wait(study)

    def _recover(self, study: str) -> None:
        """Open a study again that a sudden death left closed with images which no case has, and one without all of its
        cases, for rules and runs may have been changed since.
        """
        images, record = len(self.spool.images(study)), self._records.get(study)
        if images and (record is None or record.images != images or not record.complete):
            self.spool.open(study)

    def _submit(self, study: str, *, word: str) -> None:
        files = self.spool.images(study)
        images = [(path, image) for path in files if (image := image_of(path)) is not None]
        record = Record(images=len(files))
        for rule in self.settings.rules:
            if own := chosen(rule, images):
                self._add(rule, own, study=study, record=record)
        if not record.cases and record.complete:
            LOG.warning("study %s: %d images, and no rule matches", study[:8], len(files))
            record.complete = False
        record.finished = not record.cases
        self._write(study, record)
        self.spool.close(study, word=word)

    def _make(self, study: str) -> None:
        """The cases of rules whose runs were not there; of the others nothing is done again."""
        before = self._records[study]
        record = replace(before, cases=dict(before.cases), notify=dict(before.notify), unmade={}, complete=True)
        images = [(path, image) for path in self.spool.images(study) if (image := image_of(path)) is not None]
        for rule in (each for each in self.settings.rules if each.run in before.unmade):
            if own := chosen(rule, images):
                self._add(rule, own, study=study, record=record)
        record.finished = not record.cases
        self._write(study, record)

    def _add(self, rule: Rule, files: list[Path], *, study: str, record: Record) -> None:
        staged = self._staging / uuid4().hex
        try:
            linked(files, staged)
            case = self.cases.submit(staged, run=rule.run, origin={"by": "node", "study": study})
        except HepaticaError as error:  # such as a run that is not there
            LOG.error("study %s: %s", study[:8], error)
            record.complete = False
            record.unmade[rule.run] = str(error)
            return
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        LOG.info("study %s: %d images to %s: case %s", study[:8], len(files), rule.run, case.case_id)
        record.cases[case.case_id] = sorted({*rule.to, *record.cases.get(case.case_id, [])})
        if rule.notify:
            record.notify[case.case_id] = rule.notify

    def _follow(self, study: str) -> None:
        record = self._records[study]
        ended = [self._ended(case, to, notify=record.notify.get(case)) for case, to in record.cases.items()]
        if all(ended):
            record.finished = True
            self._write(study, record)

    def _ended(self, case_id: str, archives: list[str], *, notify: str | None) -> bool:
        """Whether the results of a case are where they belong, which this sees to."""
        try:
            case = self.cases.get(case_id)
        except HepaticaError:  # removed
            return True
        if case.state != "done":
            return case.state == "cancelled"  # one that failed may be done again from the workbench
        if not objects_of(case.result):
            LOG.warning("case %s: the model has no results for archives", case_id)
            return True
        keys = [self.deliveries.add("deliver", case=case_id, archive=each) for each in archives]
        if not self.deliveries.done(keys):
            return False
        if notify is None or not is_urgent(case.result):
            return True
        titles = [self.settings.archives[each].title for each in archives if each in self.settings.archives]
        at = next(filter(None, titles), self.settings.title)
        return self.deliveries.done([self.deliveries.add("notify", case=case_id, archive=notify, at=at)])

    def _expire(self, study: str) -> None:
        age = time.time() - self.spool.folder.joinpath(study, RECORD).stat().st_mtime
        if age > self.settings.keep_days * DAY_S:
            self.spool.remove(study)
            if not self.spool.folder.joinpath(study).exists():
                for run, why in self._records.pop(study).unmade.items():
                    LOG.error("study %s: removed, and %s never read it: %s", study[:8], run, why)

    def _write(self, study: str, record: Record) -> None:
        write_json(self.spool.folder / study / RECORD, asdict(record))
        self._records[study] = record

    def _read(self, study: str) -> Record | None:
        path = self.spool.folder / study / RECORD
        return Record(**read_json(path)) if path.exists() else None


def linked(files: list[Path], folder: Path) -> None:
    """A folder with the files, without a second copy on the disk where it can be done without."""
    folder.mkdir(parents=True)
    for path in files:
        try:
            os.link(path, folder / path.name)
        except OSError:
            shutil.copyfile(path, folder / path.name)


def _short(error: Exception) -> str:
    """What went wrong, without the text of errors that are not ours, which may hold anything."""
    return str(error) if isinstance(error, HepaticaError) else type(error).__name__

"""Work: a job that fails says so without a word of what was sent in."""

import logging
from typing import Any

import pytest

from hepatica.cohort.errors import RunError
from hepatica.runs.jobs import Job, Jobs
from hepatica.serve import work
from hepatica.serve.settings import ENVIRONMENT, Settings

NAME = "SMITH^JOHN"


@pytest.fixture
def settings(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Settings:
    found = Settings(data=tmp_path, runs=tmp_path)
    monkeypatch.setenv(ENVIRONMENT, "")
    found.to_environment()
    return found


@pytest.fixture
def job(settings: Settings) -> Job:
    jobs = Jobs(settings.where)
    jobs.add("predict", {"case": "0" * 32, "run": "one"})
    found = jobs.claim("w")
    assert found is not None
    return found


@pytest.mark.parametrize("files", [True, False])
def test_a_fault_on_files_that_were_sent_in_is_logged_without_its_text(
    job: Job, caplog: pytest.LogCaptureFixture, files: bool
) -> None:
    def broken(*_: object) -> dict[str, Any]:
        raise ValueError(NAME)

    with caplog.at_level(logging.ERROR), pytest.raises(RunError if files else ValueError) as found:
        work._watched(broken, job, lambda share: True, files=files)
    assert (NAME in str(found.value)) is not files
    assert NAME not in caplog.text
    assert ("ValueError" in caplog.text and "in broken" in caplog.text) is files


def test_what_is_said_of_files_is_kept(job: Job) -> None:
    def refused(*_: object) -> dict[str, Any]:
        raise RunError("got a, wanted b")

    with pytest.raises(RunError, match="got a, wanted b"):
        work._watched(refused, job, lambda share: True, files=True)


def test_a_case_that_was_removed_says_so(job: Job, settings: Settings) -> None:
    with pytest.raises(RunError, match="removed; submit them again"):
        work.predict(job, settings)

"""Verify: whether everything of a run is as it was written: model, results and the specimens they are of."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from hepatica.cohort import Cohort, RunError, load_cohort
from hepatica.cohort.atomic import read_json
from hepatica.cohort.digests import contents, file_digest
from hepatica.cohort.faults import rows_in_words
from hepatica.cohort.seal import SEAL, seal_states
from hepatica.runs.folder import CONTENTS, RunFolder, read_settings
from hepatica.runs.lock import lock_states

COLUMNS = ("what", "state")
RIGHT = ("unchanged", "not checked")
"""States with which nothing is wrong; every other one says what is."""


def verify(folder: Path, cohorts: Sequence[Path] = ()) -> pd.DataFrame:
    """What was checked (`what`) and its `state`: a run with its validations, or a folder of results or predictions.

    A state is `unchanged`, `not checked`, or says what is wrong. Specimens are checked for the cohort folders given,
    each against the results that are of its tables. The digests show what was edited or damaged; they are no signature,
    for whoever can write into the folder can write them too: keep the digest of the model elsewhere. RunError where
    nothing in the folder was ever recorded.
    """
    found = [*_model(folder)] if (folder / "settings.toml").exists() else []
    sealed = [path.parent for path in sorted(folder.rglob(SEAL))]
    for each in sealed:
        found += [(_name(each / name, folder), state) for name, state in seal_states(each).items()]
        found += _of_model(each, folder)
    if not found:
        raise RunError(f"{folder} contains nothing recorded by hepatica; give a run folder, or a folder of results")
    loaded = [load_cohort(path) for path in cohorts]
    results = [each for each in sealed if (each / "cohort.json").exists() and (each / CONTENTS).exists()]
    for each in results:
        found.append((f"specimens of {_name(each, folder)}", _specimens(each, loaded)))
    known = {read_json(each / "cohort.json")["digest"] for each in results}
    found += [
        (f"tables of {each.folder}", "do not belong to any results here, or have changed since")
        for each in loaded
        if each.digest not in known
    ]
    return pd.DataFrame(list(dict.fromkeys(found)), columns=list(COLUMNS))


def _model(folder: Path) -> Iterator[tuple[str, str]]:
    run = RunFolder(folder)
    read_settings(run)
    if not run.model.exists():
        yield run.model.name, "missing: the training is not finished"
        return
    for name, state in lock_states(run, read_json(run.model)).items():
        handed_on = name == run.split.name and state == "missing"
        yield name, "not checked" if handed_on else state


def _of_model(results: Path, run: Path) -> Iterator[tuple[str, str]]:
    """Whether the results are of the model as it is now."""
    if (results / "cohort.json").exists() and (run / "model.json").exists():
        same = read_json(results / "cohort.json")["model"] == file_digest(run / "model.json")
        yield f"model of {_name(results, run)}", "unchanged" if same else "another than the one locked now"


def _specimens(results: Path, cohorts: Sequence[Cohort]) -> str:
    digest, before = read_json(results / "cohort.json")["digest"], read_json(results / CONTENTS)
    same = [each for each in cohorts if each.digest == digest]
    if not same:
        return "not checked"
    now = contents(same[0].specimens)
    rows = sorted(int(row) for row in before if now.get(row) != before[row])
    return f"replaced: specimens.csv {rows_in_words(rows)}" if rows else "unchanged"


def _name(path: Path, folder: Path) -> str:
    return "the run" if path == folder else path.relative_to(folder).as_posix()

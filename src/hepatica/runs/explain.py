"""Explain: the specimens a locked model finds most and least at risk, and what it looks at in them."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from hepatica.cohort import Cohort, RunError, Specimen, load_cohort
from hepatica.cohort.applicability import cautions
from hepatica.cohort.atomic import read_json, write_json
from hepatica.cohort.digests import content_name, contents, file_digest, refuse_replaced
from hepatica.cohort.seal import refuse_altered, write_sealed
from hepatica.protocol import override
from hepatica.runs.engine import ALONE, Engine, Shared
from hepatica.runs.folder import CONTENTS, IMPORTANCE
from hepatica.runs.importance import importance
from hepatica.runs.in_use import in_use
from hepatica.runs.inputs import cohort_as_plain, cohort_from_plain
from hepatica.runs.jobs import Job
from hepatica.runs.lock import LockedRun, open_run
from hepatica.runs.pictures import draw_specimens
from hepatica.runs.spread import KINDS as PREPARING
from hepatica.runs.spread import Item, context_of, lost_of, set_aside, spread, without_lost
from hepatica.runs.workers import Work


def explain(
    run: Path, cohort: Cohort | str | Path, *, results: Path | None = None, specimens: int = 4, engine: Engine = ALONE
) -> list[Path]:
    """Draw `specimens` specimens of the cohort whose results are in `results`, half of high and half of low risk.

    `results` is the run folder itself or the folder of a validation, by default that of the run's that is of this
    cohort; only patients the model was not trained on are drawn. The pictures and `explained.json`, which lists them
    with their risk, go into `results/explained`, and of a system of tables `importance.json`. A specimen that cannot be
    drawn is warned of. By jobs of an `engine` each specimen is drawn by itself; one that no process outlives is not.
    """
    locked, cohort = open_run(run), load_cohort(cohort)
    results = _results_of(run, cohort) if results is None else results
    if not (results / "metrics.json").exists():
        raise RunError(f"{results} has no results yet; run hepatica train or hepatica validate on this cohort first")
    refuse_altered(results)
    work = _Work(locked=locked, cohort=cohort, results=results)
    chosen = extremes(work.table, specimens)
    _refuse_others(work.written, results, locked=locked, cohort=cohort)
    by_id = {specimen.specimen_id: specimen for specimen in cohort.specimens_of(locked.system.first.modality)}
    wanted = [by_id[name] for name in chosen.index.astype(str)]
    before = read_json(results / CONTENTS)
    refuse_replaced(contents(wanted), before, since=f"the results in {results} were written")
    if not engine.alone:
        with in_use(work.folder, shared=engine.share):
            _by_jobs(work, wanted, run=run, engine=engine)
    drawn = work.draw(wanted)
    records = [
        {
            "row": by_id[str(name)].row,
            "score": float(score),
            "class_or_quantity": None if pd.isna(which) else which,
            "files": drawn[by_id[str(name)].row],
        }
        for name, score, which in chosen[["score", "class_or_quantity"]].itertuples()
        if by_id[str(name)].row in drawn
    ]
    write_sealed(work.out / "explained.json", records)
    shutil.rmtree(work.parts, ignore_errors=True)
    if found := importance(locked, cohort, table=work.table, folder=work.folder):
        write_sealed(work.out / IMPORTANCE, found)
    return [work.out / name for names in drawn.values() for name in names]


@dataclass(frozen=True, kw_only=True)
class _Work:
    """A model at work on specimens of a cohort whose results are in a folder."""

    locked: LockedRun
    cohort: Cohort
    results: Path

    def __post_init__(self) -> None:
        self.out.mkdir(exist_ok=True)

    @property
    def out(self) -> Path:
        """Where the pictures go."""
        return self.results / "explained"

    @property
    def folder(self) -> Path:
        """Where the prepared specimens are."""
        return self.results / "prepared"

    @property
    def parts(self) -> Path:
        """Which pictures of each specimen are there, until all are."""
        return self.folder / "explained"

    @cached_property
    def written(self) -> dict[str, Any]:
        """What the results say of themselves."""
        found: dict[str, Any] = read_json(self.results / "cohort.json")
        return found

    @cached_property
    def table(self) -> pd.DataFrame:
        """The predictions."""
        return pd.read_parquet(self.results / "predictions.parquet")

    @cached_property
    def made_from(self) -> str:
        """The digits of all that pictures depend on: what was left of a call on other results is never taken over."""
        return content_name(
            "".join([self.locked.digest, *map(file_digest, sorted(self.results.glob("*.parquet")))]).encode()
        )

    def draw(self, specimens: Sequence[Specimen]) -> dict[int, list[str]]:
        """The names of the pictures of each that can be drawn, by row; what is there already is not drawn again."""
        places = {each.row: self.parts / f"{self.made_from}_{each.row}.json" for each in specimens}
        lost = set(lost_of(specimens, folder=self.folder)["row"])
        missing = [each for each in specimens if each.row not in lost and not places[each.row].exists()]
        if missing:
            drawn = self._drawn(missing)
            for each in missing:
                write_json(places[each.row], [path.name for path in drawn.get(each.row, [])])
        names = {row: read_json(place) for row, place in places.items() if place.exists()}
        return {row: own for row, own in names.items() if own}

    def _drawn(self, specimens: Sequence[Specimen]) -> dict[int, list[Path]]:
        some = self.cohort.select(each.patient_id for each in specimens)
        settings = override(self.locked.settings, self.written["changes"])
        return draw_specimens(
            self.locked,
            specimens,
            material=without_lost(self.locked.system, some, settings, self.folder),
            regions=pd.read_parquet(self.results / "regions.parquet"),
            cautions=cautions(self.table),
            out=self.out,
        )


def _by_jobs(work: _Work, specimens: Sequence[Specimen], *, run: Path, engine: Engine) -> None:
    """A job for each specimen; raise `Shared` where this was a share."""
    places = {"run": str(run.absolute()), "results": str(work.results.absolute())}
    context = {**places, "made_from": work.made_from, "cohort": cohort_as_plain(work.cohort)}
    items = [Item(place=str(each.row), specimens=[each]) for each in specimens]
    own: dict[str, Any] = {"kinds": f"{__name__}:KINDS", "folder": work.folder, "engine": engine}
    died = spread("explain", items, context=context, label="drawing specimens", **own)
    set_aside([each for item in died for each in item.specimens], folder=work.folder)
    if engine.share:
        raise Shared


@lru_cache(maxsize=1)
def _opened(file: str) -> tuple[_Work, dict[str, Specimen]]:
    """The model at work, and the specimens by the place of their job."""
    context = context_of(file)
    cohort = cohort_from_plain(context["cohort"])
    work = _Work(locked=open_run(Path(context["run"])), cohort=cohort, results=Path(context["results"]))
    return work, {str(each.row): each for each in cohort.specimens_of(work.locked.system.first.modality)}


def _explain(job: Job, progress: object) -> None:
    work, specimens = _opened(job.given["context"])
    work.draw([specimens[job.given["place"]]])


KINDS: Mapping[str, Work] = {**PREPARING, "explain": _explain}
"""The work of the jobs."""


def _refuse_others(written: Mapping[str, Any], results: Path, *, locked: LockedRun, cohort: Cohort) -> None:
    """RunError where what `results` says of itself is of another model, or of another cohort."""
    if written["model"] != locked.digest:
        raise RunError(
            f"{results} holds results of another model than {locked.folder.path}; name the run they belong to"
        )
    if written["digest"] != cohort.digest:
        raise RunError(
            f"{results} holds results of {written['name']} (tables {written['digest'][:8]}), not of {cohort.name}"
            f" (tables {cohort.digest[:8]}); name their folder, as in --results RUN/external/NAME, or the cohort they"
            " belong to"
        )


def _results_of(run: Path, cohort: Cohort) -> Path:
    """The results of this cohort; those of the run itself where there are none."""
    written = ((each, each / "cohort.json") for each in (run, *sorted((run / "external").glob("*"))))
    own = (each for each, path in written if path.exists() and read_json(path)["digest"] == cohort.digest)
    return next(own, run)


def extremes(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """`count` specimens of unseen patients, one each, from both ends of the first target's ranking, the highest first.

    Of several classes the last one is ranked. `table` is a predictions table, whose rows they are, by specimen_id.
    """
    whole = table["score"].notna() & table["specimen_id"].notna() & table["lesion_id"].isna()
    unseen = table[whole & ~table["fold"].isin(["train", "validation"])]
    target = unseen[["endpoint", "horizon_months"]].astype("string").fillna("")
    own = unseen[(target == target.head(1).squeeze()).all(axis=1)].drop_duplicates("specimen_id", keep="last")
    first = own.sort_values("score", ascending=False).drop_duplicates("patient_id").set_index("specimen_id")
    low = min(count // 2, len(first) // 2)
    return pd.concat([first.iloc[: count - low], first.iloc[len(first) - low :]])

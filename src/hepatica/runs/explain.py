"""Explain: the specimens a locked model finds most and least at risk, and what it looks at in them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from hepatica.cohort import Cohort, RunError, load_cohort
from hepatica.cohort.applicability import cautions
from hepatica.cohort.atomic import read_json
from hepatica.cohort.digests import contents, refuse_replaced
from hepatica.cohort.seal import refuse_altered, write_sealed
from hepatica.protocol import override
from hepatica.runs.folder import CONTENTS, IMPORTANCE
from hepatica.runs.importance import importance
from hepatica.runs.lock import LockedRun, open_run
from hepatica.runs.pictures import draw_specimens


def explain(run: Path, cohort: Cohort | str | Path, *, results: Path | None = None, specimens: int = 4) -> list[Path]:
    """Draw `specimens` specimens of the cohort whose results are in `results`, half of high and half of low risk.

    `results` is the run folder itself or the folder of a validation, by default that of the run's that is of this
    cohort; only patients the model was not trained on are drawn. The pictures and `explained.json`, which lists them
    with their risk, go into `results/explained`, and of a system of tables `importance.json`. A specimen that cannot be
    drawn is warned of.
    """
    locked, cohort = open_run(run), load_cohort(cohort)
    results = _results_of(run, cohort) if results is None else results
    if not (results / "metrics.json").exists():
        raise RunError(f"{results} has no results yet; run hepatica train or hepatica validate on this cohort first")
    refuse_altered(results)
    table = pd.read_parquet(results / "predictions.parquet")
    chosen = extremes(table, specimens)
    written = read_json(results / "cohort.json")
    _refuse_others(written, results, locked=locked, cohort=cohort)
    by_id = {specimen.specimen_id: specimen for specimen in cohort.specimens_of(locked.system.first.modality)}
    specimens_drawn = [by_id[name] for name in chosen.index.astype(str)]
    before = read_json(results / CONTENTS)
    refuse_replaced(contents(specimens_drawn), before, since=f"the results in {results} were written")
    settings, folder = override(locked.settings, written["changes"]), results / "prepared"
    material = locked.system.prepare(cohort.select(each.patient_id for each in specimens_drawn), settings, folder)
    drawn = draw_specimens(
        locked,
        specimens_drawn,
        material=material,
        regions=pd.read_parquet(results / "regions.parquet"),
        cautions=cautions(table),
        out=results / "explained",
    )
    records = [
        {
            "row": by_id[str(name)].row,
            "score": float(score),
            "class_or_quantity": None if pd.isna(which) else which,
            "files": [path.name for path in drawn[by_id[str(name)].row]],
        }
        for name, score, which in chosen[["score", "class_or_quantity"]].itertuples()
        if by_id[str(name)].row in drawn
    ]
    write_sealed(results / "explained" / "explained.json", records)
    if found := importance(locked, cohort, table=table, folder=folder):
        write_sealed(results / "explained" / IMPORTANCE, found)
    return [path for paths in drawn.values() for path in paths]


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

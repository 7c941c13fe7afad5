"""Found: what the study of Wang 2021 leaves beside the results of each cohort, as tables of the reported patients."""

from pathlib import Path

import numpy as np
import pandas as pd

from hepatica.cohort import Target
from hepatica.evaluate import ReaderTable, Reading
from hepatica.report.page.results import Results
from hepatica.studies.wang_2021.readings import ARMS, READERS

MACHINE = "AI"
"""What the model is called among readers."""


PHASES = ("plain", "arterial", "portal venous", "delayed")
"""In the order of an examination; whatever else a phase is called comes after them."""


def by_phase(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Name and rows of each phase (column phase), in the order of an examination."""
    parts = [(str(phase), own) for phase, own in table.groupby("phase")]
    return sorted(parts, key=lambda part: PHASES.index(part[0]) if part[0] in PHASES else len(PHASES))


def images(results: Results) -> pd.DataFrame:
    """Images of the reported patients, one row each, with `label` of the patient.

    Columns, of regions.parquet: patient_id, specimen_id, series, slice, phase, hcc_log_odds, nodule_log_odds, and
    nodule (1 where an expert saw one, 0 where not, missing where none looked).
    """
    [target] = results.targets
    table = pd.read_parquet(results.folder / "regions.parquet")
    label = results.outcomes(target)["label"]
    return table[table["patient_id"].isin(label.index)].assign(label=lambda rows: rows["patient_id"].map(label))


def hits(results: Results) -> pd.DataFrame | None:
    """Images of the reported patients on which an expert outlined a nodule; None where nobody outlined any.

    Columns, of saliency.parquet: patient_id, phase, flagged (NoduleNet found it), share (of the image that is nodule),
    pointing (1 where the map is brightest in the nodule, else 0), dice (of the nodule and as many brightest places).
    """
    [target] = results.targets
    table = _table(results.folder / "saliency.parquet")
    if table is None:
        return None
    own = table[table["patient_id"].isin(results.outcomes(target).index)]
    return None if own.empty else own


def readings(results: Results) -> pd.DataFrame | None:
    """One row a reading: case (a patient_id), reader, arm, truth, call ("1": HCC), score; None where nobody read."""
    path = results.folder / READERS
    if not path.is_file():
        return None
    return pd.read_csv(path, dtype={"case": str, "reader": str, "arm": str, "call": str})


def reader_table(readings: pd.DataFrame | None, *, outcomes: pd.DataFrame) -> ReaderTable | None:
    """The readings of patients with outcomes (label, score, group, by patient_id), the model beside the readers.

    The unaided arm comes first, whatever the order of the rows. Only cases that every reader read in every arm count;
    None where there are no such cases of both kinds. Truth is that of the model's own patients, so that all are judged
    alike.
    """
    known = outcomes.dropna(subset=["label"])
    if readings is None:
        return None
    own = readings[readings["case"].isin(known.index)].drop_duplicates(["case", "reader", "arm"])
    readers, arms = list(dict.fromkeys(own["reader"])), sorted(own["arm"].unique(), key=ARMS.index)
    counts = own.groupby("case", sort=False).size()
    cases = list(counts.index[counts == len(readers) * len(arms)])
    read = known.loc[cases]
    if read["label"].nunique() < 2:
        return None
    return ReaderTable(
        truth=_words(read["label"] == 1),
        positive="1",
        readers=tuple(readers),
        arms={arm: _reading(own[own["arm"] == arm], readers, cases) for arm in arms},
        machine=Reading(calls=_words(read["group"] == "high")[None], scores=read["score"].to_numpy(float)[None]),
    )


def read_by(results: Results, target: Target) -> ReaderTable | None:
    """The reader study of a cohort's reported patients; None where there is none."""
    return reader_table(readings(results), outcomes=results.outcomes(target))


def _reading(rows: pd.DataFrame, readers: list[str], cases: list[str]) -> Reading:
    wide = rows.pivot(index="reader", columns="case").loc[readers]
    scores = wide["score"][cases].to_numpy(float) if "score" in rows else np.array([np.nan])
    return Reading(calls=_words(wide["call"][cases] == "1"), scores=scores if bool(np.isfinite(scores).all()) else None)


def _words(called: "pd.Series[bool] | pd.DataFrame") -> np.ndarray:
    return np.where(called, "1", "0")


def _table(path: Path) -> pd.DataFrame | None:
    return pd.read_parquet(path) if path.is_file() else None

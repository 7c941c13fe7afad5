"""Room: what systems of molecular tables share: one vector a patient on a common scale in, a score out."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import nn

from hepatica.cohort import Cohort, CohortError, SettingsError
from hepatica.cohort.atomic import replacing
from hepatica.cohort.delimited import read_table
from hepatica.cohort.faults import Faults, did_you_mean
from hepatica.cohort.further_table import FurtherTable
from hepatica.cohort.phantom import SCREENED, phantom_tables
from hepatica.learn import Plan
from hepatica.networks import Standardise
from hepatica.protocol.plain import infer_regions, log_odds
from hepatica.protocol.records import Room
from hepatica.protocol.row_picture import draw_row
from hepatica.protocol.rows import MISSING, RowStore, measure, without_each
from hepatica.saliency import integrated_gradients

Values = NDArray[np.float32]

_VERSION = re.compile(r"(ENS[A-Z]*\d{11})\.\d+.*")
"""Ensembl identifiers with their version."""

_ENTREZ = re.compile(r"([^|?]+)\|\d+")
"""Symbols beside an Entrez number, as TCGA writes them."""


def log_per_million(counts: Values) -> Values:
    """log2(1 + counts per million) of counts (n, d); the million is that of the patient's columns here."""
    return np.asarray(np.log2(1 + counts / np.maximum(np.nansum(counts, axis=1, keepdims=True), 1) * 1e6))


def log_one_more(values: Values) -> Values:
    """log2(1 + values)."""
    return np.asarray(np.log2(1 + values))


def centred_log_ratio(parts: Values) -> Values:
    """Logarithm of parts (n, d) less the mean logarithm of the patient's, of counts or shares alike.

    Aitchison 1982, doi 10.1111/j.2517-6161.1982.tb01195.x; a part of 0 counts as half of the patient's smallest other
    one (ours).
    """
    least = np.where(parts > 0, parts, np.inf).min(axis=1, keepdims=True)
    logarithm = np.log(np.where(parts == 0, least / 2, parts))
    return np.asarray(logarithm - np.nanmean(logarithm, axis=1, keepdims=True))


SCALES: Mapping[str, Callable[[Values], Values]] = {
    "counts": log_per_million,
    "tpm": log_one_more,
    "abundance": log_one_more,
    "microbiome": centred_log_ratio,
    "z": lambda values: np.clip(values, -10, 10),
}
"""What is read of each kind of matrix; the values as they are of the other kinds. Public z-scores of genes that few
patients express go up to 3,966; beyond 10 they count as 10 (ours)."""


def matrix_of(cohort: Cohort, name: str) -> FurtherTable:
    """The table of that name; CohortError where it is absent or does not say on what scale its values are."""
    found = cohort.tables.get(name)
    if found is None:
        cohort.table(name)  # says which there are
    elif found.kind:
        return found
    raise CohortError(
        f"table {name} of {cohort.name} does not say what its values are; add kind to [tables.{name}] in cohort.toml,"
        ' such as kind = "log2"'
    )


def all_features(cohort: Cohort, *, tables: Sequence[str]) -> tuple[str, ...]:
    """TABLE.NAME of everything that these tables have, by table and name; the values are not read."""
    return tuple(
        f"{table}.{name}" for table in tables for name in sorted(set(feature_names(matrix_of(cohort, table)).values()))
    )


def feature_names(table: FurtherTable) -> dict[str, str]:
    """What each identifier of a matrix is called: as its table of names says, or else without Ensembl's version or the
    Entrez number behind a symbol. CohortError where the table of names has not two columns.
    """
    given: dict[str, str] = {}
    if table.names:
        faults = Faults()
        raw = read_table(table.names, faults, wanted=(), unique=())
        if raw is not None and raw.shape[1] < 2:
            faults.add(table.names.name, "got one column, wanted two: an identifier, and what it is to be called")
        faults.raise_if_any(table.names)
        assert raw is not None
        given = {own: other for own, other in zip(raw.iloc[:, 0], raw.iloc[:, 1], strict=True) if other}
    names = {}
    for each in table.identifiers():
        plain = _ENTREZ.sub(r"\1", _VERSION.sub(r"\1", each))
        names[each] = given.get(each, given.get(plain, plain))
    return names


def read_features(cohort: Cohort, *, features: Sequence[str]) -> tuple[RowStore, pd.DataFrame]:
    """These features (TABLE.NAME) of every patient, and what became of each: feature, identifiers, patients with it.

    Values are brought to the scale of SCALES; identifiers of one name are averaged (ours); a feature that the cohort
    lacks is missing, as are those of a table that it lacks. CohortError where there is no table, or one has none of its
    features; SettingsError without features.
    """
    if not features:
        raise SettingsError("got no features to read; name some, such as --set 'features=[\"expression.GPC3\"]'")
    blocks, reports = zip(*_blocks(cohort, features), strict=True)
    values = pd.concat(blocks, axis=1)[list(features)]
    report = pd.concat(reports).set_index("feature").loc[list(features)].reset_index()
    store = RowStore.of(cohort, columns=features, values=np.ascontiguousarray(values.to_numpy(np.float32)))
    return store, report.assign(patients=np.isfinite(store.values).sum(axis=0))


def _blocks(cohort: Cohort, features: Sequence[str]) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    owners = pd.Series(
        [name.partition(".")[2] for name in features], index=[each.partition(".")[0] for each in features]
    )
    for table in owners.index.unique():
        wanted = owners.loc[[table]].to_list()
        names = [f"{table}.{name}" for name in wanted]
        if table not in cohort.tables and any(each in cohort.tables for each in owners.index):
            yield (
                pd.DataFrame(np.nan, index=cohort.patients.index, columns=names),
                pd.DataFrame({"feature": names, "identifiers": None}),
            )
            continue
        matrix = matrix_of(cohort, table)
        raw = matrix.read(cohort.patients.index).set_index("patient_id")
        called = pd.Series(feature_names(matrix))
        values = SCALES.get(matrix.kind or "", np.asarray)(raw.to_numpy(np.float32))
        found = pd.DataFrame(values, index=raw.index, columns=called.loc[raw.columns].to_numpy())
        if not found.columns.isin(wanted).any():
            near = did_you_mean(wanted[0], found.columns)
            raise CohortError(
                f"table {table} of {cohort.name} has none of {len(wanted)} features, {wanted[0]}: {near}; other"
                f" identifiers need a table that says what each is called: names of [tables.{table}] in cohort.toml"
            )
        repeated = found.columns[found.columns.duplicated()].unique().intersection(wanted)
        means = {name: found.loc[:, found.columns == name].mean(axis=1) for name in repeated}
        single = found.loc[:, ~found.columns.duplicated()].assign(**means)
        block = single.reindex(index=cohort.patients.index, columns=wanted)
        identifiers = called.index.to_series().groupby(called).agg(" ".join).reindex(wanted)
        report = pd.DataFrame({"feature": names, "identifiers": identifiers.to_numpy()})
        yield block.set_axis(names, axis="columns"), report


MANY = 50
"""Features above which a specimen is described by the distribution of its values, not by each of them. Ours."""


@dataclass(frozen=True, kw_only=True)
class GenePlan(Plan):
    """Settings of a system of molecular tables."""

    tables: tuple[str, ...] = ("expression",)
    """Tables of cohort.toml that are read, each with its `kind`."""
    features: tuple[str, ...] = ()
    """What is read, as TABLE.NAME; none named: all that `tables` of the cohort trained on have."""


G = TypeVar("G", bound=GenePlan)


def complete(cohort: Cohort, settings: G) -> G:
    """The settings with their features named: those of the cohort where none are."""
    return settings if settings.features else replace(settings, features=all_features(cohort, tables=settings.tables))


def prepare(cohort: Cohort, settings: GenePlan, folder: Path | None) -> RowStore:
    """The features of every patient; `features.csv` in `folder` says which identifiers each was read from."""
    store, report = read_features(cohort, features=settings.features)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / "features.csv") as temporary:
            report.to_csv(temporary, index=False)
    return store


def measured(store: RowStore) -> pd.DataFrame:
    """The values of each patient, or of many their median, spread (quartiles) and share missing, by table."""
    values = measure(store)
    if len(store.columns) <= MANY:
        return values
    values = values[list(store.columns)]
    described = {}
    for table, own in values.T.groupby([name.partition(".")[0] for name in store.columns]):
        low, middle, high = own.quantile([0.25, 0.5, 0.75]).to_numpy()
        described[f"{table} median"], described[f"{table} spread"] = middle, high - low
        described[f"{table} missing"] = own.isna().mean().to_numpy()
    return pd.DataFrame(described, index=values.index)


def attributed(network: nn.Module, rows: np.ndarray) -> np.ndarray:
    """How far the output moves without each value, (b, d) in 0..1; of MANY values by integrated gradients from the mean
    training patient, for which two passes a value would take minutes.
    """
    if rows.shape[1] <= MANY:
        return without_each(network, rows)
    mean = next(each.mean for each in network.modules() if isinstance(each, Standardise))
    moved = np.abs(integrated_gradients(network, rows, baseline=mean.numpy(), target=log_odds))
    return np.asarray(moved / np.maximum(moved.max(axis=1, keepdims=True), 1e-12))


GENES: Room[GenePlan, RowStore] = Room(
    modality="genes",
    region="row",
    extra="all",
    plan=GenePlan,
    complete=complete,
    prepare=prepare,
    measure=measured,
    tolerances=MISSING,
    infer=infer_regions,
    saliency=attributed,
    draw=draw_row,
    phantom=partial(phantom_tables, population=SCREENED),
)
"""Expression, methylation, miRNA, proteins, metabolites, microbiome, copy number and mutations."""

"""Applicability: how many specimens of each cohort are like those of training, and what sets the others apart."""

from collections import Counter

import pandas as pd

from hepatica.cohort.applicability import IN_DOMAIN, NOT_ASSESSABLE, UNKNOWN, UNUSUAL
from hepatica.report.page import Block, Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.wording import share

ROWS = {
    IN_DOMAIN: "Within the domain of training",
    UNUSUAL: "Unusual: scored, but unlike the training specimens",
    NOT_ASSESSABLE: "Not assessable: no score",
    UNKNOWN: "Not examined",
}

TEXT = (
    "When the model was locked, the range of what can be measured of its training specimens was recorded. A specimen"
    " that lies further beyond it than specimens of another hospital are expected to is unusual: its score may be wrong"
    " without looking so. Unusual specimens are included in all results of this report."
)

MOST_UNUSUAL = 0.1
"""Share of unusual specimens above which a cohort is said to be of another kind (ours)."""


def section(run: Run, gallery: Gallery) -> Section:
    """Counts by cohort, a warning where many specimens are unusual, and the measures that set them apart."""
    del gallery  # tables, nothing to draw
    tables = {each.title: specimens(each) for each in run.cohorts}
    present = set().union(*(table["applicability"] for table in tables.values()))
    rows = [
        [text, *(share(int((table["applicability"] == name).sum()), len(table)) for table in tables.values())]
        for name, text in ROWS.items()
        if name in present
    ]
    table = Table(caption="Specimens behind the results, n (%).", header=["Specimens", *tables], rows=rows)
    warnings = [warning(name, table) for name, table in tables.items()]
    blocks: list[Block] = [Text(text=TEXT), *(Text(text=each, tone="warning") for each in warnings if each), table]
    return Section(anchor="applicability", title="Applicability", blocks=[*blocks, *_reasons(tables)])


def warning(name: str, table: pd.DataFrame) -> str:
    """A sentence where more than MOST_UNUSUAL of a cohort's specimens are unusual; else nothing."""
    unusual = int((table["applicability"] == UNUSUAL).sum())
    if unusual <= MOST_UNUSUAL * len(table):
        return ""
    return (
        f"{name}: {unusual} of {len(table)} specimens are unlike those of training. What is reported of this cohort is"
        " the model's performance outside its domain."
    )


def specimens(results: Results) -> pd.DataFrame:
    """applicability and reason of each specimen of the reported patients."""
    table = results.predictions
    rows = table[table["specimen_id"].notna() & (table["fold"] == results.fold)]
    return rows.drop_duplicates("specimen_id")[["applicability", "reason"]]


def _reasons(tables: dict[str, pd.DataFrame]) -> list[Block]:
    found = {name: _measures(table) for name, table in tables.items()}
    every = sum(found.values(), Counter())
    if not every:
        return []
    rows = [[name, *(str(counts[name]) for counts in found.values())] for name, _ in every.most_common()]
    caption = "What sets unusual specimens apart: specimens by measure; one may count for several."
    return [Table(caption=caption, header=["Measure", *tables], rows=rows)]


def _measures(table: pd.DataFrame) -> Counter[str]:
    """How often each measure is named in the reasons of unusual specimens."""
    reasons = table.loc[table["applicability"] == UNUSUAL, "reason"].dropna()
    named = (part.rsplit(": ", 1)[-1] for reason in reasons for part in reason.split("; ") if " (in training " in part)
    return Counter(name.split(" (in training ")[0].rsplit(" ", 1)[0] for name in named)

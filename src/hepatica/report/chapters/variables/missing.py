"""Missing values: which covariates are unknown, in how many patients, by cohort and outcome, and which together."""

import pandas as pd

from hepatica.evaluate import missing_patterns, missing_shares
from hepatica.report.page import Gallery, Run, Section, Table, Text
from hepatica.report.page.wording import NONE, column, event, share

PATTERNS = 5
"""Patterns shown, the most frequent first. Ours."""

NOTE = (
    "n (%) of the reported patients. A share that differs between outcomes shows that values are not missing"
    " completely at random: a score that reads such a variable may learn from its absence."
)


def section(run: Run, gallery: Gallery) -> Section | str:
    """A table of shares and one of patterns; a sentence where nothing is missing."""
    del gallery
    tables = {each.title: each.reported[each.covariates()] for each in run.cohorts}
    lacking = {str(name): None for table in tables.values() for name in table if table[name].isna().any()}
    if not lacking:
        return "No covariate has missing values."
    groups = _groups(run)
    rows = [[column(name), *(_cell(table, name, group) for table, group in groups.values())] for name in lacking]
    shares = Table(caption="Missing values by cohort and outcome.", header=["", *groups], rows=rows)
    patterns = [_patterns(title, table[[name for name in lacking if name in table]]) for title, table in tables.items()]
    return Section(anchor="missing", title="Missing values", blocks=[shares, *patterns, Text(text=NOTE, tone="note")])


def _groups(run: Run) -> dict[str, tuple[pd.DataFrame, "pd.Series[bool]"]]:
    """Reported patients of each cohort, and who of them is in a group: by outcome where that is a yes or no."""
    found = {}
    target = run.targets[0]
    for each in run.cohorts:
        table = each.reported
        if target.task == "binary":
            label = each.endpoint(target).label(table, horizon=target.horizon)
            found[f"{each.title}, with {event(target)}"] = (table, label == 1)
            found[f"{each.title}, without"] = (table, label == 0)
        else:
            found[each.title] = (table, pd.Series(True, index=table.index))
    return found


def _cell(table: pd.DataFrame, name: str, group: "pd.Series[bool]") -> str:
    own = table[group.fillna(value=False).astype(bool)]
    if name not in own or own.empty:
        return NONE
    found = missing_shares(own[[name]]).iloc[0]
    return share(int(found["missing"]), int(found["n"]))


def _patterns(title: str, table: pd.DataFrame) -> Table:
    found = missing_patterns(table).head(PATTERNS)
    names = found.drop(columns="patients")
    rows = [
        [", ".join(column(str(name)) for name in names.columns[list(lost)]) or "none", share(int(count), len(table))]
        for lost, count in zip(names.to_numpy(bool), found["patients"], strict=True)
    ]
    return Table(caption=f"{title}: values missing together.", header=["Missing", "Patients"], rows=rows)

"""Reader rows: rates of each reader and their comparison, as rows and columns of a table."""

from collections.abc import Sequence

import numpy as np

from hepatica.evaluate import Comparison, Estimate
from hepatica.evaluate.readers.readers import Arm, Versus
from hepatica.report.page.blocks import Table
from hepatica.report.page.wording import METRICS, NONE, between, interval, p_value

RATES = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "kappa", "f1", "auroc")

MCNEMAR = ("accuracy", "sensitivity", "specificity")


def rate(found: Estimate | None) -> str:
    """A rate with its interval; a dash where there is none."""
    return NONE if found is None or not np.isfinite(found.value) else interval(found.as_dict())


def difference(found: Comparison | None) -> str:
    """A difference with its sign and interval."""
    if found is None or not np.isfinite(found.difference.value):
        return NONE
    each = found.difference
    if each.low is None or each.high is None:
        return f"{each.value:+.3f}"
    return between(f"{each.value:+.3f}", f"{each.low:+.3f}", f"{each.high:+.3f}")


def rates_of(arm: Arm, name: str) -> list[str]:
    """A rate of every reader, and of their average."""
    return [*(rate(found.get(name)) for found in arm.per_reader.values()), rate(arm.average.get(name))]


def versus_cells(versus: Versus | None, name: str) -> list[str]:
    """Difference, its P over readers and cases, and the P of the paper's t test over readers."""
    if versus is None:
        return [NONE, NONE, NONE]
    found = versus.over_readers_and_cases.get(name)
    own = NONE if found is None else p_value(found.p)
    return [difference(found), own, p_value(versus.t_p.get(name))]


def mcnemar_table(versus: Versus, *, caption: str, note: str) -> Table:
    """Exact McNemar P of each reader: over all cases, over those with the disease and over those without."""
    rows: Sequence[list[str]] = [
        [name, *(p_value(found[each]) for each in MCNEMAR)] for name, found in versus.mcnemar_p.items()
    ]
    return Table(caption=caption, header=["", *(METRICS[name] for name in MCNEMAR)], rows=rows, note=note)

"""Found: what the study of Bae 2025 wrote down beside its run, read once."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from hepatica.report.page.results import Run
from hepatica.runs.folder import RunFolder, read_settings
from hepatica.runs.lock import verify_lock
from hepatica.studies.bae_2025.study import QUANTIFIER

NAMES = {"nls": "NLS", "map": "MAP", "qcnn": "qCNN", "qcnn+gn": "qCNN + GN"}
"""Methods as a reader knows them: least squares, the same with priors, networks, networks with Gauss-Newton steps."""

COLOURS = {"nls": "#7b8794", "map": "#e69f00", "qcnn": "#0072b2", "qcnn+gn": "#d55e00"}

STYLES = {"nls": "-", "map": "-", "qcnn": "-", "qcnn+gn": "--"}
"""Lines; that of the networks with steps is broken, because it often lies on that of MAP."""

MARKERS = {"nls": "s", "map": "o", "qcnn": "^", "qcnn+gn": "x"}
"""Points; a cross in a circle is seen as both."""

KINDS = {"signal model": "nuisance of the signal model alone", "everything": "every nuisance"}
"""What spoilt simulated spectra (`studies.bae_2025.study.TESTED`), as captions say it."""


def quantified(run: Run, *, spoilt_by: str) -> pd.DataFrame:
    """A row a simulated spectrum, target and method: truth, estimate, sd, crlb and bayesian bound, in mM.

    `spoilt_by` is one of KINDS.
    """
    table = pd.read_parquet(run.folder / "quantified.parquet")
    return table[table["spoilt_by"] == spoilt_by]


def learnt(run: Run) -> str:
    """What the qCNNs learnt from, in a sentence."""
    folder = RunFolder(run.folder / QUANTIFIER)
    settings, training = read_settings(folder)["settings"], verify_lock(folder)["training"]
    kind = KINDS["everything" if settings["effects"] == "all" else "signal model"]
    count = training["simulated spectra a member learnt from"]
    members = "One network" if settings["members"] == 1 else f"{settings['members']} networks"
    return f"{members} learnt from {count:,} simulated spectra{_each(settings['members'])}, with {kind}."


def _each(members: int) -> str:
    return " each" if members > 1 else ""


def swept(run: Run) -> pd.DataFrame:
    """A row a condition, method and target: sweep, level, mean |error| in mM."""
    return pd.read_parquet(run.folder / "robustness.parquet")


def on_log_scale(axes: Axes) -> None:
    """A logarithmic y axis with plain numbers."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def methods(table: pd.DataFrame) -> list[str]:
    """Methods of a table, in their order."""
    return [name for name in NAMES if name in set(table["method"])]


def targets(table: pd.DataFrame) -> list[str]:
    """Targets of a table, in their order."""
    return list(dict.fromkeys(table["target"]))


def errors(table: pd.DataFrame, *, method: str) -> pd.DataFrame:
    """Estimate less truth in mM of one method: a row a spectrum, a column a target."""
    own = table[table["method"] == method]
    wide = own.assign(error=own["estimate"] - own["truth"]).pivot(index="spectrum", columns="target", values="error")
    return wide[targets(own)]

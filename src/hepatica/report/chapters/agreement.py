"""Agreement: predicted quantities and measured ones of the same patients: bias, limits of agreement, concordance."""

from functools import partial

import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import Measured, Target, patient_scores
from hepatica.report.page import Gallery, Results, Run, Section
from hepatica.report.page.metric_table import metric_table
from hepatica.report.page.style import LOW, QUIET, say

SHOWN = ("bias", "limits_low", "limits_high", "mae", "rmse", "concordance")


def section(run: Run, gallery: Gallery) -> Section | str:
    """A Bland-Altman plot a cohort, and the table of bias, limits of agreement and errors."""
    target = run.targets[0]
    endpoint = run.internal.endpoint(target)
    if not isinstance(endpoint, Measured):
        return "The cohort has no measured value of the predicted quantity: agreement cannot be assessed."
    figure = gallery.by_cohort(
        "agreement",
        run.cohorts,
        partial(_paint, target=target, unit=endpoint.unit),
        alt="Differences of predicted and measured values against their mean",
        caption="Predicted minus measured value against their mean; lines are the bias and the limits of agreement.",
    )
    table = metric_table(
        run,
        SHOWN,
        caption=f"Agreement of predicted and measured values, in {endpoint.unit}, with 95% confidence intervals.",
        note="Limits of agreement: bias ± 1.96 SD of the differences (Bland and Altman). Concordance is Lin's.",
    )
    return Section(anchor="agreement", title="Agreement with measured values", blocks=[figure, table])


def both(results: Results, target: Target) -> pd.DataFrame:
    """Columns `predicted` and `measured` of the reported patients of whom both are known."""
    predicted = patient_scores(results.predictions, target=target, fold=results.fold)["score"].astype(float)
    endpoint = results.endpoint(target)
    measured = results.patients.loc[predicted.index, list(endpoint.columns)].iloc[:, 0].astype(float)
    return pd.DataFrame({"predicted": predicted, "measured": measured}).dropna()


def _paint(figure: Drawing, *, results: Results, target: Target, unit: str) -> None:
    axes, table = figure.subplots(), both(results, target)
    axes.set_title(results.title)
    if table.empty:
        say(axes, "No patient has a measured value.")
        return
    axes.plot(table.mean(axis=1), table["predicted"] - table["measured"], "o", color=LOW, markersize=4, alpha=0.7)
    for name, style in (("bias", "-"), ("limits_low", ":"), ("limits_high", ":")):
        row = results.metric(name, target)
        if row is not None and pd.notna(row["value"]):
            axes.axhline(row["value"], color=QUIET, linewidth=1, linestyle=style)
    axes.set(xlabel=f"Mean of both, {unit}", ylabel=f"Predicted minus measured, {unit}")

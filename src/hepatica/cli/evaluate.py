"""Evaluate: the commands that evaluate scores in a CSV file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hepatica.cli.options import Json

if TYPE_CHECKING:
    from hepatica.evaluate import Estimate

app = typer.Typer(
    name="evaluate",
    help="Evaluate scores in a CSV file that has one row per patient, with outcome and score.",
    no_args_is_help=True,
)

File = Annotated[Path, typer.Argument(metavar="FILE.csv", help="CSV file with a header and one row per patient.")]
Score = Annotated[str, typer.Option(help="Column of the score; higher means a likelier or earlier event.")]


@app.command()
def binary(
    file: File,
    label: Annotated[str, typer.Option(help="Column of the outcome: 1 event, 0 no event, no blanks.")],
    score: Score,
    cutoff: Annotated[float, typer.Option(help="Scores at or above this are called positive.")] = 0.5,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="PATIENT_COLUMN",
            help="Column of the patient, if patients have several rows; intervals then account for it.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Evaluate scores against a binary outcome.

    AUROC and average precision measure discrimination over all cut-offs. Accuracy, sensitivity, specificity, predictive
    values, F1 and Cohen's kappa refer to one cut-off, which should have been chosen on other patients. Brier score,
    calibration intercept and calibration slope require probabilities from 0 to 1. All have 95% confidence intervals.
    """
    from hepatica.evaluate import binary_metrics, read_binary

    table = read_binary(file, label=label, score=score, group=group)
    show(binary_metrics(table.label, score=table.score, cutoff=cutoff, group=table.group), as_json=as_json)


@app.command()
def survival(
    file: File,
    time: Annotated[str, typer.Option(help="Column of the time to the event or the end of follow-up, 0 or more.")],
    event: Annotated[str, typer.Option(help="Column of the event: 1 event, 0 censored.")],
    score: Score,
    cutoff: Annotated[
        float | None,
        typer.Option(help="Scores at or above this are high risk; the median score by default."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Evaluate scores against a censored time to event.

    The C-index is the probability that, of two patients, the one with the higher score has the event first: 1 is
    perfect, 0.5 is chance, and a value below 0.5 indicates a reversed score. The log-rank test and the hazard ratio
    compare patients at or above the cut-off with those below it.
    """
    from hepatica.evaluate import read_survival, survival_metrics

    table = read_survival(file, time=time, event=event, score=score)
    show(survival_metrics(table.time, event=table.event, score=table.score, cutoff=cutoff), as_json=as_json)


def show(found: "dict[str, Estimate]", *, as_json: bool) -> None:
    """Print estimates as one JSON object or as a table; a statistic that cannot be computed is null."""
    import json

    if as_json:
        wanted = ("value", "low", "high", "n", "method")
        plain = {name: {key: each.as_dict()[key] for key in wanted} for name, each in found.items()}
        typer.echo(json.dumps(plain, indent=2, allow_nan=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("statistic", "value (95% interval)", "n", "how")
    for name, each in found.items():
        table.add_row(name, str(each), str(each.n), each.method)
    Console().print(table)

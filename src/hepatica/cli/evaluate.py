"""Evaluate: the commands that judge scores in anybody's CSV file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hepatica.evaluate import Estimate

app = typer.Typer(
    help="Judge scores in any CSV file: one row a patient, one column with the outcome, one with the score.",
    no_args_is_help=True,
)

File = Annotated[Path, typer.Argument(metavar="FILE.csv", help="A CSV file with a header; one row a patient.")]
Score = Annotated[str, typer.Option(help="Column of the score: the higher, the likelier or the sooner the event.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@app.command()
def binary(
    file: File,
    label: Annotated[str, typer.Option(help="Column of the outcome: 1 event, 0 no event. Blanks are refused.")],
    score: Score,
    cutoff: Annotated[float, typer.Option(help="A score at or above this is called positive.")] = 0.5,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="PATIENT_COLUMN",
            help="Column of the patient, where patients have several rows: intervals then count patients, not rows.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Judge scores against a yes-or-no outcome.

    AUROC and average precision judge the order of the scores over all cut-offs; accuracy, sensitivity, specificity,
    predictive values, F1 and Cohen's kappa judge the calls at one cut-off, which should have been fixed on other
    patients; Brier score, calibration intercept and slope judge scores as probabilities and want them from 0 to 1.
    Every number has its 95% confidence interval.
    """
    from hepatica.evaluate import binary_metrics, read_binary

    table = read_binary(file, label=label, score=score, group=group)
    show(binary_metrics(table.label, score=table.score, cutoff=cutoff, group=table.group), as_json=as_json)


@app.command()
def survival(
    file: File,
    time: Annotated[str, typer.Option(help="Column of the time to the event or the end of follow-up, 0 or more.")],
    event: Annotated[str, typer.Option(help="Column of the event: 1 happened, 0 censored.")],
    score: Score,
    cutoff: Annotated[
        float | None,
        typer.Option(help="A score at or above this is high risk; the median of the scores when not given."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Judge scores against follow-up in which some patients were lost before the event.

    The C-index says how often, of two patients, the one with the higher score has the event first: 1 is perfect, 0.5 is
    chance, below 0.5 the score runs the wrong way round. The log-rank test and the hazard ratio compare patients at or
    above the cut-off with those below it.
    """
    from hepatica.evaluate import read_survival, survival_metrics

    table = read_survival(file, time=time, event=event, score=score)
    show(survival_metrics(table.time, event=table.event, score=table.score, cutoff=cutoff), as_json=as_json)


def show(found: "dict[str, Estimate]", *, as_json: bool) -> None:
    """Print estimates as one JSON object or as a table; a statistic the data cannot give is null."""
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

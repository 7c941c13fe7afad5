"""Evaluate: the commands that evaluate scores in a CSV file."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hepatica.cli.options import Json

if TYPE_CHECKING:
    from hepatica.evaluate import Comparison, Estimate, Subgroup

app = typer.Typer(
    name="evaluate",
    help="Evaluate scores in a CSV file that has one row per patient, with outcome and score.",
    no_args_is_help=True,
)

File = Annotated[Path, typer.Argument(metavar="FILE.csv", help="CSV file with a header and one row per patient.")]
Score = Annotated[str, typer.Option(help="Column of the score; higher means a likelier or earlier event.")]
Group = Annotated[
    str | None,
    typer.Option(
        metavar="PATIENT_COLUMN",
        help="Column of the patient, if patients have several rows; intervals then account for it.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Also write report.html with curves, figures/ and tables/ to this folder."),
]
Horizon = Annotated[
    float | None,
    typer.Option(min=0, help="Time, in the unit of the file, by which the event is predicted; weighs for censoring."),
]
By = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="Column of subgroups, such as sex: each is compared with all other patients."),
]
EVENT = "Column of the event: 1 event, 0 censored, from 2 on a competing event."
TIME = "Column of the time to the event or the end of follow-up, 0 or more."


@app.command()
def binary(
    file: File,
    label: Annotated[str, typer.Option(help="Column of the outcome: 1 event, 0 no event, no blanks.")],
    score: Score,
    cutoff: Annotated[float, typer.Option(help="Scores at or above this are called positive.")] = 0.5,
    group: Group = None,
    subgroup: By = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Evaluate scores against a binary outcome.

    AUROC and average precision measure discrimination over all cut-offs. Accuracy, sensitivity, specificity, predictive
    values, F1 and Cohen's kappa refer to one cut-off, which should have been chosen on other patients. Brier score,
    O/E, calibration intercept and slope require probabilities from 0 to 1. All have 95% confidence intervals.
    """
    import numpy as np

    from hepatica.evaluate import binary_metrics, by_subgroup, read_binary
    from hepatica.evaluate.observed import observed

    table = read_binary(file, label=label, score=score, group=group, subgroup=subgroup)

    def of(rows: Any) -> "dict[str, Estimate]":
        owner = None if table.group is None else table.group[rows]
        return binary_metrics(table.label[rows], score=table.score[rows], cutoff=cutoff, group=owner)

    found = of(np.ones(len(table.score), bool))
    parts = [] if table.level is None else by_subgroup(table.level, of=of)
    found |= _cutoff(cutoff, n=found["auroc"].n, how="as given" if cutoff != 0.5 else "0.5 unless --cutoff is given")
    if out is not None:
        outcome = observed(table.label, group=table.group)
        _page(out, file, found, table.notes, outcome=outcome, score=table.score, cutoff=cutoff, parts=parts)
    show(found, as_json=as_json, notes=table.notes, parts=parts)


@app.command()
def survival(
    file: File,
    time: Annotated[str, typer.Option(help=TIME)],
    event: Annotated[str, typer.Option(help=EVENT)],
    score: Score,
    cutoff: Annotated[
        float | None,
        typer.Option(help="Scores at or above this are high risk; the median score by default."),
    ] = None,
    horizon: Horizon = None,
    group: Group = None,
    subgroup: By = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Evaluate scores against a censored time to event.

    The C-index is the probability that, of two patients, the one with the higher score has the event first: 1 is
    perfect, 0.5 is chance, and a value below 0.5 indicates a reversed score. The log-rank test and the hazard ratio
    compare patients at or above the cut-off with those below it. With --horizon, also discrimination, classification
    and calibration for the event by that time, weighted for censoring (inverse probability, Kaplan-Meier); calibration
    requires scores that are probabilities of the event by then. Competing events count as censored in the C-index and
    hazard ratio, and as free of the event at the horizon.
    """
    import numpy as np
    import pandas as pd

    from hepatica.evaluate import at_horizon, by_subgroup, read_survival, survival_metrics

    table = read_survival(file, time=time, event=event, score=score, group=group, subgroup=subgroup)
    found = survival_metrics(table.time, event=table.event, score=table.score, cutoff=cutoff, horizon=horizon)
    split = float(np.median(table.score)) if cutoff is None else cutoff

    def of(rows: Any) -> "dict[str, Estimate]":
        own, causes = table.time[rows], table.event[rows]
        return survival_metrics(own, event=causes, score=table.score[rows], cutoff=split, horizon=horizon)

    parts = [] if table.level is None else by_subgroup(table.level, of=of)
    found |= _cutoff(split, n=table.score.size, how="the median of these scores" if cutoff is None else "as given")
    if out is not None:
        outcome = None if horizon is None else at_horizon(table.time, event=table.event, horizon=horizon)
        followed = pd.DataFrame({"time": table.time, "cause": table.event})
        more = {"score": table.score, "cutoff": split, "followed": followed, "unit": time, "horizon": horizon}
        _page(out, file, found, table.notes, outcome=outcome, parts=parts, **more)
    show(found, as_json=as_json, notes=table.notes, parts=parts)


@app.command()
def compare(
    file: File,
    score: Score,
    other: Annotated[str, typer.Option(help="Column of the score it is compared with.")],
    label: Annotated[str | None, typer.Option(help="Column of a binary outcome: 1 event, 0 no event.")] = None,
    time: Annotated[str | None, typer.Option(help=TIME)] = None,
    event: Annotated[str | None, typer.Option(help=EVENT)] = None,
    horizon: Horizon = None,
    cutoff: Annotated[
        float | None,
        typer.Option(help="Scores at or above this are called positive; 0.5, or the median if they are no shares."),
    ] = None,
    other_cutoff: Annotated[float | None, typer.Option(help="That of the other score.")] = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Compare two scores of the same patients: the first minus the second, paired.

    With --label, or with --time, --event and --horizon: AUROC, average precision, and accuracy, PPV, sensitivity and F1
    at the cut-offs. With --time and --event: the C-index.
    """
    import pandas as pd

    from hepatica.evaluate import at_horizon, compare_c_index, compare_paired, read_binary, read_survival
    from hepatica.evaluate.inputs import Risk
    from hepatica.evaluate.observed import observed

    if (label is None) == (time is None or event is None):
        raise typer.BadParameter("got neither or both of --label and --time with --event; give one outcome")
    found: dict[str, Comparison] = {}
    followed, outcome = None, None
    if label is not None:
        table: Any = read_binary(file, label=label, score=score, other=other)
        outcome = observed(table.label)
    else:
        table = read_survival(file, time=str(time), event=str(event), score=score, other=other)
        ranks = {"score_a": Risk(table.score), "score_b": Risk(table.other)}
        found["c_index"] = compare_c_index(table.time, event=table.event == 1, **ranks)
        followed = pd.DataFrame({"time": table.time, "cause": table.event})
        outcome = None if horizon is None else at_horizon(table.time, event=table.event, horizon=horizon)
    splits = _split(table.score, cutoff), _split(table.other, other_cutoff if other_cutoff is not None else cutoff)
    if outcome is not None:
        both = {"score_a": table.score, "score_b": table.other}
        found |= compare_paired(outcome, **both, cutoff_a=splits[0], cutoff_b=splits[1])
    called = f"cut-offs: {score} {splits[0]:.4g}, {other} {splits[1]:.4g}"
    notes = [*table.notes, *([called] if "accuracy" in found else [])]
    if out is not None:
        columns = (score, table.score, splits[0]), (other, table.other, splits[1])
        page = {"outcome": outcome, "followed": followed, "unit": time or "", "horizon": horizon}
        _comparison(out, file, found, table.notes, columns=columns, **page)
    p = {name: each.p for name, each in found.items()}
    show({name: each.difference for name, each in found.items()}, as_json=as_json, notes=notes, p=p)


def _split(scores: Any, given: float | None) -> float:
    """The cut-off given, or the middle of what the scores can be: 0.5 of shares, the median of any others."""
    import numpy as np

    return given if given is not None else 0.5 if scores.min() >= 0 and scores.max() <= 1 else float(np.median(scores))


def _comparison(
    out: Path, file: Path, found: "dict[str, Comparison]", notes: Sequence[str], *, columns: Any, **of: Any
) -> None:
    from hepatica.evaluate import binary_metrics, c_index
    from hepatica.evaluate.inputs import Risk
    from hepatica.report.documents.comparison_page import Compared, Scored, write_comparison_page

    scores = []
    for name, own, cutoff in columns:
        each = {} if of["outcome"] is None else binary_metrics(of["outcome"], score=own, cutoff=cutoff)
        if (followed := of["followed"]) is not None:
            each["c_index"] = c_index(followed["time"], event=followed["cause"] == 1, score=Risk(own))
        scores.append(Scored(name=name, score=own, cutoff=cutoff, found=each))
    compared = Compared(name=file.name, scores=(scores[0], scores[1]), found=found, notes=notes, **of)
    typer.echo(f"wrote {write_comparison_page(compared, out=out)}", err=True)


@app.command()
def sample_size(
    prevalence: Annotated[float | None, typer.Option(help="Share of patients with the event, 0 to 1.")] = None,
    auroc: Annotated[float | None, typer.Option(help="Expected AUROC, above 0.5.")] = None,
    parameters: Annotated[
        int | None, typer.Option(min=1, help="Candidate parameters of the model, to develop it.")
    ] = None,
    r2: Annotated[float | None, typer.Option(help="Expected Cox-Snell R², in place of the AUROC.")] = None,
    rate: Annotated[float | None, typer.Option(help="Events in a unit of time, of a Cox model.")] = None,
    follow_up: Annotated[float | None, typer.Option(help="Mean follow-up, in that unit.")] = None,
    horizon: Annotated[float | None, typer.Option(help="Time of the predicted risk, in that unit.")] = None,
    as_json: Json = False,
) -> None:
    """How many patients a prediction model needs, by the criteria of Riley et al.; the largest number counts.

    With --prevalence and --auroc: to validate it elsewhere, so precisely that the 95% intervals of O/E and calibration
    slope are 0.2 wide and that of the AUROC is 0.1. With --parameters as well: to develop it (--r2 may replace --auroc;
    for a Cox model --rate, --follow-up, --horizon and --r2 replace --prevalence and --auroc).
    """
    import json
    from dataclasses import asdict

    from hepatica.evaluate import needed_to_develop, needed_to_develop_survival, needed_to_validate

    found = {}
    if prevalence is not None and auroc is not None:
        found["validate"] = needed_to_validate(prevalence=prevalence, auroc=auroc)
    if prevalence is not None and parameters is not None:
        by = {"auroc": auroc} if r2 is None else {"r2": r2}
        found["develop"] = needed_to_develop(prevalence=prevalence, parameters=parameters, **by)
    if rate is not None and follow_up is not None and horizon is not None and r2 is not None and parameters is not None:
        found["develop"] = needed_to_develop_survival(
            rate=rate, follow_up=follow_up, horizon=horizon, r2=r2, parameters=parameters
        )
    if not found:
        raise typer.BadParameter(
            "got too little; give --prevalence with --auroc or --parameters, or --rate and the rest"
        )
    if as_json:
        typer.echo(json.dumps({name: [asdict(row) for row in rows] for name, rows in found.items()}, indent=2))
        return
    for name, rows in found.items():
        most = max(rows, key=lambda row: row.patients)
        typer.echo(f"to {name} the model: {most.patients} patients, {most.events} with the event")
        for row in rows:
            typer.echo(f"  {row.criterion}: {row.patients} patients, {row.events} with the event")


def _cutoff(cutoff: float, *, n: int, how: str) -> "dict[str, Estimate]":
    from hepatica.evaluate import Estimate

    return {"cutoff": Estimate(value=cutoff, low=None, high=None, n=n, method=how)}


def _page(out: Path, file: Path, found: "dict[str, Estimate]", notes: Sequence[str], **of: Any) -> None:
    from hepatica.report.documents.evaluation_page import Evaluated, write_evaluation_page

    page = write_evaluation_page(Evaluated(name=file.name, found=found, notes=notes, **of), out=out)
    typer.echo(f"wrote {page}", err=True)


def show(
    found: "dict[str, Estimate]",
    *,
    as_json: bool,
    notes: Sequence[str] = (),
    p: dict[str, float] | None = None,
    parts: "Sequence[Subgroup]" = (),
) -> None:
    """Print estimates, with P where given, as one JSON object or as a table; what cannot be computed is null."""
    import json
    from math import isfinite

    for note in notes:
        typer.echo(f"note: {note}", err=True)
    if as_json:
        wanted = ("value", "low", "high", "n", "method")
        plain: dict[str, Any] = {name: {key: each.as_dict()[key] for key in wanted} for name, each in found.items()}
        for name, chance in (p or {}).items():
            plain[name]["p"] = chance if isfinite(chance) else None
        for part in parts:
            sides = {side: getattr(part, side).as_dict() for side in ("own", "others", "difference")}
            plain.setdefault("subgroups", {}).setdefault(part.level, {})[part.metric] = {
                side: {key: each[key] for key in wanted} for side, each in sides.items()
            }
        typer.echo(json.dumps(plain, indent=2, allow_nan=False))
        return
    from rich.console import Console
    from rich.table import Column, Table

    first = Column("statistic", overflow="fold")
    table = Table(first, "value (95% interval)", *(["P"] if p else []), "n", "how")
    for name, each in found.items():
        table.add_row(name, str(each), *([f"{p[name]:.3g}"] if p else []), str(each.n), each.method)
    Console().print(table)
    if parts:
        table = Table(first, "subgroup", "value (95% interval)", "all others", "difference", "n")
        for part in parts:
            cells = (str(each) for each in (part.own, part.others, part.difference))
            table.add_row(part.metric, part.level, *cells, str(part.own.n))
        Console().print(table)

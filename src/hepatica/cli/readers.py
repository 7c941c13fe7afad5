"""Readers: the command that analyses a reader study."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hepatica.cli.options import Json

if TYPE_CHECKING:
    from rich.table import Table

    from hepatica.evaluate import ReaderStudy
    from hepatica.evaluate.readers.readers import Arm, Versus


def readers(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="CSV file with a header and one row per reading.")],
    case: Annotated[str, typer.Option(help="Column of the case.")] = "case",
    reader: Annotated[str, typer.Option(help="Column of the reader.")] = "reader",
    truth: Annotated[str, typer.Option(help="Column of the true category: 1 and 0, or words like hcc.")] = "truth",
    call: Annotated[str, typer.Option(help="Column of the category chosen by the reader.")] = "call",
    score: Annotated[str | None, typer.Option(help="Column of a score, for AUROC; higher means disease.")] = None,
    arm: Annotated[str | None, typer.Option(help="Column of the arm; unaided readings come before aided ones.")] = None,
    machine: Annotated[str | None, typer.Option(help="Name of the reader that is an AI; its arm may be blank.")] = None,
    advice: Annotated[str | None, typer.Option(help="Column of the category that the AI showed to the reader.")] = None,
    cases: Annotated[
        str | None,
        typer.Option("--set", help="Column of two words, the second for cases new in the second arm, unseen before."),
    ] = None,
    positive: Annotated[str, typer.Option(help="The category that counts as the disease.")] = "1",
    as_json: Json = False,
) -> None:
    """Compare readers with each other, with an AI, and with and without its assistance.

    The file has one row per reading, such as:

        case,reader,truth,call,arm
        c1,Radiologist 1,1,1,without
        c1,Radiologist 1,1,1,with
        c1,AI,1,1,

    with --arm arm --machine AI, or one row per case and a column per reader, such as case,truth,Radiologist 1,AI. Every
    reader must have read every case once in every arm. A column of what the AI showed in each aided reading (--advice)
    separates what right and wrong answers did; cases that only the second arm has (--set) what memory of the first did.
    Comparisons generalise to other readers and cases (Obuchowski-Rockette); McNemar's exact test is given for each
    reader. A t test over readers is shown because papers report it, but it does not generalise to other cases.
    """
    import json

    from hepatica.evaluate import read_readers, study_readers

    table = read_readers(
        file, case=case, reader=reader, truth=truth, call=call, score=score, arm=arm, machine=machine, advice=advice,
        cases=cases, positive=positive,
    )  # fmt: skip
    found = study_readers(table)
    if as_json:
        typer.echo(json.dumps(_plain(found), indent=2, allow_nan=False))
        return
    from rich.console import Console

    for shown in _tables(found):
        Console().print(shown)


def _plain(found: Any) -> Any:
    """Plain values, ready for JSON; what cannot be computed is null."""
    from dataclasses import fields, is_dataclass

    if isinstance(found, dict):
        return {name: _plain(each) for name, each in found.items()}
    if is_dataclass(found):
        return {each.name: _plain(getattr(found, each.name)) for each in fields(found)}
    return None if isinstance(found, float) and found != found else found


def _tables(found: "ReaderStudy") -> "list[Table | str]":
    """None wider than 80 characters for two arms: readers are rows, arms columns."""
    shown: list[Table | str] = [_rates(found), *(_agreement(name, arm) for name, arm in found.arms.items())]
    for name, arm in found.arms.items():
        if arm.against_machine is not None:
            shown += _versus(f"{name}: readers minus AI", arm.against_machine)
    if found.aided is not None:
        first, second = found.arms
        shown += _versus(f"{second} minus {first}", found.aided)
        if found.new_cases is not None:
            shown += _versus(f"{second}, new cases, minus {first}, the others (unpaired)", found.new_cases)
    if found.by_advice:
        shown.append(_by_advice(found, list(found.arms)))
    return [each for each in shown if each != ""]


def _by_advice(found: "ReaderStudy", arms: list[str]) -> "Table":
    from rich.table import Table

    table = Table("the AI was", "readings", *arms, "difference", title="Right calls, by the answer of the AI")
    for name, each in found.by_advice.items():
        table.add_row(name, str(each.readings), str(each.before), str(each.after), str(each.gain))
    return table


def _rates(found: "ReaderStudy") -> "Table":
    from rich.table import Table

    arms = list(found.arms.values())
    table = Table("statistic", "reader", *found.arms)
    for rate in next(iter(arms[0].per_reader.values())):
        rows = [(name, [arm.per_reader[name][rate] for arm in arms]) for name in arms[0].per_reader]
        if arms[0].average.get(rate) is not None:
            rows.append(("average", [arm.average[rate] for arm in arms]))
        if found.machine is not None and rate in found.machine:
            rows.append(("AI", [found.machine[rate]]))
        for place, (name, values) in enumerate(rows):
            table.add_row("" if place else rate, name, *map(str, values), end_section=place == len(rows) - 1)
    return table


def _agreement(name: str, arm: "Arm") -> str:
    if arm.agreement is None:
        return ""
    kappa, p = arm.agreement.kappa, _p(arm.agreement.p)
    return f"{name}: all readers agree: {arm.agreement.all_agree}; Fleiss' kappa: {kappa}, z test P {p}"


def _versus(name: str, versus: "Versus") -> "list[Table | str]":
    from rich.table import Table

    table = Table("statistic", "difference", "P", "P, t over readers", title=name)
    for rate, p in versus.t_p.items():
        over = versus.over_readers_and_cases.get(rate)
        table.add_row(rate, *(("", "") if over is None else (str(over.difference), _p(over.p))), _p(p))
    if not versus.mcnemar_p:
        return [table]
    own = Table("reader", *next(iter(versus.mcnemar_p.values())), title=f"{name}: McNemar's exact P")
    for reader, each in versus.mcnemar_p.items():
        own.add_row(reader, *map(_p, each.values()))
    return [table, own]


def _p(p: float | None) -> str:
    if p is None or p != p:
        return ""
    return "<0.001" if p < 0.001 else f"{p:.3f}"

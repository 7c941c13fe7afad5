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
    positive: Annotated[str, typer.Option(help="The category that counts as the disease.")] = "1",
    as_json: Json = False,
) -> None:
    """Compare readers with each other, with an AI, and with and without its assistance.

    The file has one row per reading, such as:

        case,reader,truth,call,arm
        c1,Radiologist 1,1,1,without
        c1,Radiologist 1,1,1,with
        c1,AI,1,1,

    with --arm arm --machine AI. Every reader must have read every case once in every arm. A column of what the AI
    showed in each aided reading (--advice) separates what right and wrong answers did. Comparisons generalise to
    other readers and cases (Obuchowski-Rockette); McNemar's exact test is given for each reader. A t test over readers
    is shown because papers report it, but it does not generalise to other cases.
    """
    import json

    from hepatica.evaluate import read_readers, study_readers

    table = read_readers(
        file, case=case, reader=reader, truth=truth, call=call, score=score, arm=arm, machine=machine, advice=advice,
        positive=positive,
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
    shown: list[Table | str] = []
    for name, arm in found.arms.items():
        shown += [_rates(name, arm, found), *_agreement(arm)]
        if arm.against_machine is not None:
            shown.append(_versus(f"{name}: readers minus AI", arm.against_machine))
    if found.aided is not None:
        first, second = found.arms
        shown.append(_versus(f"{second} minus {first}", found.aided))
    if found.by_advice:
        shown.append(_by_advice(found, list(found.arms)))
    return shown


def _by_advice(found: "ReaderStudy", arms: list[str]) -> "Table":
    from rich.table import Table

    table = Table("the AI was", "readings", *arms, "difference", title="Right calls, by the answer of the AI")
    for name, each in found.by_advice.items():
        table.add_row(name, str(each.readings), str(each.before), str(each.after), str(each.gain))
    return table


def _rates(name: str, arm: "Arm", found: "ReaderStudy") -> "Table":
    from rich.table import Table

    columns = arm.per_reader | ({"average": arm.average} if arm.average else {})
    columns |= {} if found.machine is None else {"AI": found.machine}
    table = Table("statistic", *columns, title=name)
    for rate in next(iter(arm.per_reader.values())):
        table.add_row(rate, *(str(each[rate]) if rate in each else "" for each in columns.values()))
    return table


def _agreement(arm: "Arm") -> list[str]:
    if arm.agreement is None:
        return []
    kappa, p = arm.agreement.kappa, _p(arm.agreement.p)
    return [f"all readers agree: {arm.agreement.all_agree}; Fleiss' kappa: {kappa}, z test P {p}"]


def _versus(name: str, versus: "Versus") -> "Table":
    from rich.table import Table

    table = Table(
        "statistic", "difference", "P", *(f"{each}, McNemar" for each in versus.mcnemar_p), "t over readers", title=name
    )
    for rate, p in versus.t_p.items():
        over = versus.over_readers_and_cases.get(rate)
        shown = ("", "") if over is None else (str(over.difference), _p(over.p))
        table.add_row(rate, *shown, *(_p(each.get(rate)) for each in versus.mcnemar_p.values()), _p(p))
    return table


def _p(p: float | None) -> str:
    if p is None or p != p:
        return ""
    return "<0.001" if p < 0.001 else f"{p:.3f}"

"""Systems: the published systems that can be trained, as a list that can be filtered."""

from typing import Annotated

import typer


def systems(
    words: Annotated[list[str] | None, typer.Argument(help="Show those whose name or question has every word.")] = None,
    modality: Annotated[str | None, typer.Option(help="slide, ct, mr, ultrasound, spectrum or table.")] = None,
    task: Annotated[
        str | None, typer.Option(help="binary, multi_class, survival, quantities, segmentation, subtypes or margin.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list instead of a table.")] = False,
) -> None:
    """List the published systems that can be trained, with their question, input, task and paper.

    What each paper reports, and every setting, is in docs/systems and in --json.
    """
    import json

    from rich.console import Console
    from rich.table import Column, Table

    from hepatica.systems import listed

    wanted = [word.lower() for word in words or []]
    found = [
        each
        for each in listed().values()
        if (modality is None or modality in each.modality.split("+"))
        and (task is None or task in each.tasks)
        and all(word in f"{each.name} {each.question}".lower() for word in wanted)
    ]
    if as_json:
        typer.echo(json.dumps([vars(each) for each in found], indent=2))
        return
    table = Table(Column("system", overflow="fold"), "question", "input", "task", "paper", show_lines=True)
    for each in found:
        paper = each.paper
        source = f"{paper.get('authors', '').split(' ')[0]} {paper.get('year', '')}, {paper.get('doi', '')}"
        table.add_row(each.name, each.question, each.modality, ", ".join(each.tasks), source)
    Console().print(table)

"""Systems: the published systems that can be trained, as a list that can be filtered."""

from typing import TYPE_CHECKING, Annotated

import typer

from hepatica.cli.options import Json

if TYPE_CHECKING:
    from hepatica.systems import Listed


def systems(
    words: Annotated[
        list[str] | None, typer.Argument(help="Show systems whose name or question contains every word.")
    ] = None,
    modality: Annotated[
        str | None, typer.Option(help="slide, ct, mr, ultrasound, spectrum, table, visits, claims or genes.")
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="binary, multi_class, survival, quantities, segmentation, subtypes or margin.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the published systems that can be trained, with question, input, task and paper.

    Results reported by each paper and all settings are in docs/systems and in --json.
    """
    import json

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
    else:
        _print(found)


def _print(found: "list[Listed]") -> None:
    """Two lines or more a system in two columns: name over input and task, question over paper."""
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    table = Table(Column(max_width=30, overflow="fold"), Column(), box=None, show_header=False, padding=(0, 2, 1, 0))
    for each in found:
        paper = each.paper
        source = f"{paper.get('authors', '').split(' ')[0]} {paper.get('year', '')}, {paper.get('doi', '')}"
        table.add_row(
            Text.assemble((each.name, "bold"), f"\n{each.modality}: {', '.join(each.tasks)}"),
            Text(f"{each.question}\n{source}"),
        )
    Console().print(table)

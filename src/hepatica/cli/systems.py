"""Systems: the evidence table, one row a published system."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hepatica.protocol import System


def systems(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list instead of a table.")] = False,
) -> None:
    """List the published systems hepatica can train, with their papers and what those report."""
    import json

    from hepatica.systems import all_systems

    found = all_systems().values()
    if as_json:
        typer.echo(json.dumps([_record(system) for system in found], indent=2))
        return
    from rich.console import Console
    from rich.table import Column, Table

    table = Table(
        Column("system", no_wrap=True), "question", "input", "paper", "reported by the paper", show_lines=True
    )
    for system in found:
        paper = system.paper
        reported = "\n".join(f"{name}: {value}" for name, value in paper.reported.items())
        cited = f"{paper.authors} {paper.journal} ({paper.year})\n{paper.doi}"
        table.add_row(system.name, system.question, system.modality, cited, reported)
    Console().print(table)


def _record(system: "System[Any, Any]") -> dict[str, Any]:
    paper = system.paper
    return {
        "name": system.name,
        "question": system.question,
        "modality": system.modality,
        "targets": [target.label for target in system.targets],
        "paper": {"title": paper.title, "authors": paper.authors, "journal": paper.journal, "year": paper.year},
        "doi": paper.doi,
        "reported": dict(paper.reported),
    }

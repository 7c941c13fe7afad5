"""Systems: the evidence table, one row a published system."""

from typing import Annotated

import typer


def systems(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list instead of a table.")] = False,
) -> None:
    """List the published systems hepatica can train, with their papers and what those report."""
    import json

    from hepatica.systems import all_systems

    records = [
        {
            "name": each.name,
            "question": each.question,
            "modality": each.modality,
            "targets": [target.label for target in each.targets],
            "paper": f"{each.paper.authors} {each.paper.journal} ({each.paper.year})",
            "doi": each.paper.doi,
            "reported": dict(each.paper.reported),
        }
        for each in all_systems().values()
    ]
    if as_json:
        typer.echo(json.dumps(records, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("system", "question", "input", "paper", "reported by the paper", show_lines=True)
    for each in records:
        reported = "\n".join(f"{name}: {value}" for name, value in each["reported"].items())
        table.add_row(each["name"], each["question"], each["modality"], f"{each['paper']}\n{each['doi']}", reported)
    Console().print(table)

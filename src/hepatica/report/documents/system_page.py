"""System page: the documentation of one published system, made from its file so that the two cannot disagree."""

import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hepatica.cohort.atomic import write_text
from hepatica.protocol import System, as_plain
from hepatica.protocol.settings import meanings
from hepatica.report.page.wording import about
from hepatica.systems import all_systems


def system_page(system: System[Any, Any]) -> str:
    """The page as Markdown: question, paper and what it reports, every setting, departures and unclear points."""
    paper = system.paper
    settings, predicts = as_plain(system.settings), [about(target) for target in system.targets(system.settings)]
    reported = [
        f"| {name}, {where} | {value} |" for where, numbers in paper.reported.items() for name, value in numbers.items()
    ]
    rows = [f"| `{name}` | {settings.get(name, 'none')} | {what} |" for name, what in meanings(system.settings).items()]
    notes = inspect.cleandoc(sys.modules[type(system.settings).__module__].__doc__ or "")
    parts = [
        f"# {system.name}",
        "<!-- Made by ./run docs from the system's file; change that. -->",
        system.question,
        f"{paper.authors} {paper.title}. {paper.journal} ({paper.year}). [doi"
        f" {paper.doi}](https://doi.org/{paper.doi})",
        f"Input: {system.modality}. Predicts: {', '.join(predicts)}.",
        "## What the paper reports",
        "On its own patients; not results of this software.",
        "\n".join(["| number | value |", "|---|---|", *reported]),
        "## Settings",
        f"Change one with `hepatica train {system.name} COHORT --run RUN --set NAME=VALUE`.",
        "\n".join(["| setting | default | meaning |", "|---|---|---|", *rows]),
        "## From the file",
        f"```text\n{notes}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def evidence_page(systems: Sequence[System[Any, Any]]) -> str:
    """The table of evidence as Markdown: what each paper did on its own patients, a row a system."""
    header = ("system", "patients", "modality", "network", "endpoint", "validation", "reported", "code")
    rows = []
    for system in systems:
        paper, endpoints = system.paper, ", ".join(about(each) for each in system.targets(system.settings))
        numbers = {
            where: ", ".join(f"{name} {value:g}" for name, value in each.items())
            for where, each in paper.reported.items()
        }
        reported = "; ".join(f"{where}: {each}" for where, each in numbers.items())
        cells = (paper.patients, system.modality, paper.network, endpoints, paper.validation, reported, paper.code)
        rows.append(f"| [{system.name}](systems/{system.name}.md) | {' | '.join(cells)} |")
    parts = (
        "# Evidence",
        "<!-- Made by ./run docs from the system files; change those. -->",
        "What each paper reports of its own patients. These are not results of this software.",
        "\n".join([f"| {' | '.join(header)} |", "|---" * len(header) + "|", *rows]),
    )
    return "\n\n".join(parts) + "\n"


def write_system_pages(folder: Path) -> None:
    """Write the page of every system into `folder`, and evidence.md beside it."""
    systems = list(all_systems().values())
    for system in systems:
        write_text(folder / f"{system.name}.md", system_page(system))
    write_text(folder.parent / "evidence.md", evidence_page(systems))


if __name__ == "__main__":
    write_system_pages(Path(sys.argv[1]))

"""Options: arguments and options that several commands share, and how KEY=VALUE is read."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

Cohort = Annotated[Path, typer.Argument(help="Cohort folder: cohort.toml, patients.csv, specimens.csv.", exists=True)]
Run = Annotated[Path, typer.Argument(help="Run folder, as written by hepatica train.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, for example epochs=20; repeatable."),
]
Reading = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override how specimens are read, for example tiles_per_specimen=65 for whole slides; repeatable. Settings"
        " locked with the model cannot be changed.",
    ),
]
Trainer = Annotated[
    list[str] | None,
    typer.Option(
        "--trainer", metavar="KEY=VALUE", help="Flag of Lightning's Trainer, for example devices=2; repeatable."
    ),
]
Quick = Annotated[
    bool, typer.Option("--quick", help="Small networks and images, for a trial: minutes on two processor cores.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


def assignments(words: list[str] | None) -> dict[str, Any]:
    """KEY=VALUE words as a mapping; a value is read as TOML, or as plain text if it is not TOML."""
    from hepatica.cohort.errors import SettingsError

    pairs = {}
    for word in words or []:
        key, equals, value = word.partition("=")
        if not equals:
            raise SettingsError(f"got {word!r}, wanted KEY=VALUE, such as epochs=20")
        try:
            pairs[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            pairs[key.strip()] = value.strip()
    return pairs

"""Slurm: write the script by which a command is done by an array of a SLURM cluster."""

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from hepatica.cli.options import is_far

SCRIPT = """\
#!/bin/bash
# bash {name}: submits this script as an array, and once more for the time when all of it has ended.
#SBATCH --job-name=hepatica
#SBATCH --output={log}
#SBATCH --cpus-per-task={cpus}
{further}
set -euo pipefail
if [ -z "${{SLURM_JOB_ID-}}" ]; then
    array=$(sbatch --parsable --array=0-{last} "$0")
    exec sbatch --dependency="afterany:${{array%%;*}}" "$0"
fi
cd {folder}
export OMP_NUM_THREADS=${{SLURM_CPUS_PER_TASK:-1}}
# Each element takes specimens from one ledger until none is left; what follows it puts the results together.
exec {command} ${{SLURM_ARRAY_TASK_ID:+--jobs share}}
"""

SHARED = ("features", "train", "validate", "predict", "quantify", "explain")
"""Commands whose specimens can be shared out."""

Command = Annotated[list[str], typer.Argument(help="Behind --, the command with its arguments and options.")]
Elements = Annotated[int, typer.Option(help="Elements of the array, each a process that works on specimens.", min=1)]
Cpus = Annotated[int, typer.Option(help="Processor cores of each element.", min=1)]
Sbatch = Annotated[
    list[str] | None,
    typer.Option(
        "--sbatch",
        metavar="OPTION",
        help="Further option of sbatch, such as --time=4:00:00 or --gres=gpu:1; repeatable.",
    ),
]
Script = Annotated[Path, typer.Option(help="The script to write.")]


def slurm(
    command: Command,
    elements: Elements = 8,
    cpus: Cpus = 4,
    sbatch: Sbatch = None,
    script: Script = Path("hepatica.slurm.sh"),
) -> None:
    """Write a script that does a command by an array of a SLURM cluster; run it with bash on the login node.

    The command is features, train, validate, predict, quantify or explain, with its options but --jobs and --ray.
    Every element takes specimens from the same ledger in the folder of results, or in the PostgreSQL database that the
    environment variable HEPATICA_LEDGER names; an element that is killed costs nothing but its time.

    Example: hepatica slurm --elements 16 --sbatch=--time=8:00:00 -- predict RUN COHORT --out OUT
    """
    from hepatica.cohort.atomic import write_text
    from hepatica.cohort.errors import SettingsError

    if any(map(is_far, _places(command))):
        raise SettingsError("got a URL of a store, wanted folders that all nodes see")
    if command[0] not in SHARED or {"--jobs", "--ray"} & {each.partition("=")[0] for each in command}:
        raise SettingsError(f"got {' '.join(command[:3])} …, wanted {', '.join(SHARED)} without --jobs and --ray")
    write_text(script, text_of(command, elements=elements, cpus=cpus, sbatch=sbatch or (), script=script))
    typer.echo(f"script: {script}\nnext: bash {shlex.quote(str(script))}")
    if "HEPATICA_LEDGER" not in os.environ:
        typer.echo("for several nodes first: export HEPATICA_LEDGER=postgresql://… (docs/how_to/cluster.md)")


def _places(command: list[str]) -> list[Path]:
    """What may be a folder: all arguments and values of options, but for the address of a server."""
    options = list(zip(["", *command], command, strict=False))
    return [
        Path(word.partition("=")[2] if word.startswith("--") else word)
        for before, word in options
        if before != "--dicomweb" and not word.startswith("--dicomweb=")
    ]


def text_of(words: list[str], *, elements: int, cpus: int, sbatch: "list[str] | tuple[str, ...]", script: Path) -> str:
    """The script; the command is that of this Python, run in this folder."""
    own = Path(sys.argv[0]).absolute()
    main = [str(own)] if own.name == "hepatica" else [sys.executable, "-c", "from hepatica.cli import main; main()"]
    log = str(script.absolute().with_name(script.stem)).replace("%", "%%") + ".%A_%a.log"
    return SCRIPT.format(
        name=script.name,
        log=shlex.quote(log),
        cpus=cpus,
        further="\n".join(f"#SBATCH {each}" for each in sbatch),
        last=elements - 1,
        folder=shlex.quote(str(Path.cwd())),
        command=shlex.join([*main, *words]),
    )

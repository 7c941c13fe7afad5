"""Serve: the command that starts the workbench, and the one that adds its users."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Data = Annotated[Path, typer.Option(help="Folder for everything that the workbench writes.")]
Base = Annotated[
    str, typer.Option(metavar="URL", help="postgresql://…, or an SQLite file; DATA/workbench.sqlite by default.",
                      envvar="HEPATICA_DATABASE")
]  # fmt: skip
DATA = Path("hepatica-workbench")


def serve(
    runs: Annotated[Path, typer.Option(help="Folder of run folders, or one run folder.", exists=True)] = Path(),
    data: Data = DATA,
    cohorts: Annotated[
        Path | None, typer.Option(help="Folder of cohort folders, to train on; that of --runs by default.", exists=True)
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; another than this machine's needs --users.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port; 0 for a free one.", min=0, max=65535)] = 8750,
    name: Annotated[
        list[str] | None, typer.Option(metavar="HOST", help="Name by which browsers reach it; repeatable.")
    ] = None,
    database: Base = "",
    workers: Annotated[int, typer.Option(help="Processes that do jobs; 0 where others do them.", min=0)] = 1,
    only_workers: Annotated[
        bool, typer.Option("--only-workers", help="Do jobs and serve nothing, for the same data and database.")
    ] = False,
    users: Annotated[
        bool, typer.Option("--users", help="Let users sign in by name; hepatica users adds them.")
    ] = False,
    trusted_proxy: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Believe X-Forwarded-User of requests from this address alone.")
    ] = "",
    secure: Annotated[bool, typer.Option("--secure", help="Browsers reach it by HTTPS alone.")] = False,
    largest: Annotated[float, typer.Option(metavar="GIB", help="Largest file that is taken.", min=0.001)] = 2.0,
    memory: Annotated[float, typer.Option(metavar="GIB", help="Memory that one case may need.", min=0.5)] = 8.0,
    retention: Annotated[
        float | None, typer.Option(metavar="DAYS", help="Remove cases after so many days.", min=0)
    ] = None,
) -> None:
    """Start the workbench: pages in a browser and a programming interface, by default on this machine alone.

    Without --users, the link that is printed signs its one user in, once. A killed workbench loses nothing: the same
    command goes on.
    """
    from hepatica.serve.running import run, work
    from hepatica.serve.settings import GIB, Settings

    settings = Settings(
        runs=runs.resolve(), data=data.resolve(), cohorts=(cohorts or runs).resolve(), host=host, port=port,
        names=tuple(name or ()), database=database, workers=workers, users=users, trusted_proxy=trusted_proxy,
        secure=secure, largest_upload_bytes=int(largest * GIB), memory_bytes=int(memory * GIB),
        retention_days=retention,
    )  # fmt: skip
    if only_workers:
        work(settings)
    else:
        run(settings, say=typer.echo)


def users(
    name: Annotated[str, typer.Argument(help="Name of a user to add, or to change.")],
    role: Annotated[
        Literal["viewer", "reader", "operator", "admin"],
        typer.Option(help="What they may do; each may what the last may."),
    ] = "reader",
    data: Data = DATA,
    database: Base = "",
    password: Annotated[
        bool, typer.Option(help="Ask for a password; --no-password where a proxy signs them in.")
    ] = True,
    active: Annotated[bool, typer.Option("--active/--closed", help="Whether they may sign in.")] = True,
) -> None:
    """Add a user of the workbench, or change them; their sessions end."""
    from hepatica.serve.settings import Settings
    from hepatica.serve.workbench import open_workbench

    given = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if password else ""
    bench = open_workbench(Settings(data=data.resolve(), runs=data.resolve(), database=database, users=True))
    bench.accounts.set_user(name, role=role, password=given, active=active)
    bench.audit.record("", "changed user on the command line", name)
    typer.echo(f"{name}: {role}{'' if active else ', closed'}")

"""Fetch: the commands that download public cohorts, and describe slides one by one wherever they lie."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from hepatica.cli.options import Cohort, JobsOf, Ray, assignments, engine_of, in_stores

app = typer.Typer(
    name="fetch",
    help="Download a public cohort and write it as a cohort folder for training or validation.",
    no_args_is_help=True,
)


@app.callback()
def fetch() -> None:
    """Keep `fetch tcga-lihc` a command of its own while it is the only one."""


@app.command()
def tcga_lihc(
    folder: Annotated[Path, typer.Argument(help="Cohort folder to create, or to complete after an interruption.")],
    limit: Annotated[
        int | None,
        typer.Option(help="Only the first patients, for example 3 for a trial; all by default.", min=1),
    ] = None,
    slides: Annotated[
        Literal["one", "all"], typer.Option(help="Only the first diagnostic slide of each patient, or all.")
    ] = "all",
    gene: Annotated[
        list[str] | None,
        typer.Option(help="A gene such as CTNNB1: whether it is mutated becomes a label; may be repeated."),
    ] = None,
    outlines: Annotated[
        Path | None, typer.Option(help="Folder of Shi 2021's outlines (JSON, wangxiaodong1021/HCC_Prognostic).")
    ] = None,
    cdr: Annotated[
        Path | None, typer.Option(help="Table of the TCGA clinical data resource, as text: progression-free interval.")
    ] = None,
    by_url: Annotated[
        bool,
        typer.Option(
            "--by-url", help="Download no slide: hepatica features FOLDER then takes one after the other from the GDC."
        ),
    ] = False,
) -> None:
    """Download TCGA-LIHC, liver cancers of The Cancer Genome Atlas: slides (about 500 GB) and follow-up, from the GDC.

    To begin, use --limit 3 and --slides one. The size is shown and the free disk space checked before the download.
    After an interruption, the same command resumes; every slide is verified by its MD5 checksum. Patients without
    usable follow-up are excluded and counted by reason in fetch.json.

    The data are open access and need no account. TCGA asks to be acknowledged; the sentence is in fetch.json and in the
    notes of the cohort. Next, hepatica validate RUN FOLDER tests a locked model on this cohort, and
    hepatica study li_2025_cnn_sasm COHORT --external FOLDER uses it as the external cohort of a study.
    """
    from hepatica.fetch import fetch_tcga_lihc

    made = fetch_tcga_lihc(
        folder, limit=limit, slides=slides, genes=gene or (), outlines=outlines, cdr=cdr, by_url=by_url
    )
    typer.echo(f"cohort: {made}")
    if by_url:
        typer.echo(f"next: hepatica features {folder} --out FEATURES --encoder uni")


Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change how slides are read: side, mpp, stain, tiles_per_specimen; repeatable.",
    ),
]


@in_stores
def features(
    cohort: Cohort,
    out: Annotated[Path, typer.Option(help="Folder to create, or its URL: a cohort of features.")],
    encoder: Annotated[
        str, typer.Option(help="Network that describes the tiles, as setting encoder of saillard_2020.")
    ] = "resnet50",
    weights: Annotated[
        str | None, typer.Option(help="Its weights: published (the default), random, or a .safetensors file.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first slides of the table, for a trial.", min=1)] = None,
    settings: Settings = None,
    jobs: JobsOf = "1",
    ray: Ray = None,
) -> None:
    """Describe the slides of a cohort by a frozen encoder, one by one, into a cohort that needs the slides no longer.

    Slides that specimens.csv names by URL (s3://bucket/key, https://…) are downloaded when their turn comes, and
    removed after it. After an interruption, the same command resumes. Train a system of frozen features on OUT with the
    same encoder.
    """
    from hepatica.protocol import override
    from hepatica.runs.features import FAILURES, PLAN
    from hepatica.runs.features import features as describe

    given = {"encoder": encoder} | ({} if weights is None else {"weights": weights})
    chosen = override(PLAN, given | assignments(settings))
    folder, lost = describe(cohort, out=out, settings=chosen, limit=limit, engine=engine_of(jobs, ray))
    if lost:
        typer.echo(f"{lost} slide(s) gave no features, listed in {folder / FAILURES}")
    typer.echo(f"cohort of features: {folder}\nnext: hepatica train saillard_2020 {folder} --set encoder={encoder}")

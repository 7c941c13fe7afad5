"""App: the commands of hepatica, each a thin call of the function of the same name."""

import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hepatica.cli import basis, evaluate, fetch, nuclei, phantom
from hepatica.cli.audit import audit
from hepatica.cli.bench import bench
from hepatica.cli.check import check
from hepatica.cli.deidentify import deidentify
from hepatica.cli.demo import demo
from hepatica.cli.doctor import doctor
from hepatica.cli.export import export
from hepatica.cli.init import init
from hepatica.cli.node import DicomWebUrl, StudyUid, given, node
from hepatica.cli.options import (
    Cohort,
    JobsOf,
    Quick,
    Ray,
    Reading,
    Run,
    Settings,
    Trainer,
    assignments,
    engine_of,
    in_stores,
)
from hepatica.cli.quantify import quantify
from hepatica.cli.readers import readers
from hepatica.cli.scores import scores
from hepatica.cli.serve import serve, users
from hepatica.cli.slurm import slurm
from hepatica.cli.study import study
from hepatica.cli.systems import systems
from hepatica.cli.verify import verify

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(
    help="Published deep-learning systems for hepatocellular carcinoma, applied to your own cohort.\n\n"
    "Train a published system on a cohort, lock it, validate it on another cohort, explain it and report it."
    " To begin: hepatica demo; with your own patients: hepatica init",
    invoke_without_command=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"hepatica {version('hepatica')}")
        raise typer.Exit


@app.callback(help=app.info.help)
def everywhere(
    context: typer.Context,
    offline: Annotated[
        bool, typer.Option("--offline", help="Connect to no server: use the weights on this machine alone.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Take what holds for every command; huggingface_hub reads its environment when it is first imported."""
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@in_stores
def train(
    system: Annotated[
        str, typer.Argument(help="Name of a system, as listed by hepatica systems, or MODULE:RECORD of your own.")
    ],
    cohort: Cohort,
    run: Annotated[
        Path, typer.Option(help="Run folder to create, or to resume after an interruption; or s3://BUCKET/KEY.")
    ],
    quick: Quick = False,
    settings: Settings = None,
    weights: Annotated[
        str | None,
        typer.Option(help="Starting weights: imagenet (downloaded by timm), random, or a .safetensors file."),
    ] = None,
    trainer: Trainer = None,
    processes: Annotated[
        int, typer.Option(help="Processes that train one network together, a GPU each where there are.", min=1)
    ] = 1,
    machines: Annotated[
        int,
        typer.Option(help="Machines with so many processes each; start the same command on each of them.", min=1),
    ] = 1,
    meet: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where they meet: a free port of the one that locks the model.")
    ] = "",
    jobs: JobsOf = "1",
    ray: Ray = None,
) -> None:
    """Train a published system on a cohort, lock it and test it on held-out patients.

    The run folder contains settings, split, locked model, cut-offs, predictions and statistics. After an interruption,
    the same command resumes the training and ends with the same model.
    """
    from hepatica.learn.launch import Meeting
    from hepatica.protocol import override
    from hepatica.runs import train as train_run
    from hepatica.systems import find_system

    found = find_system(system)
    changes = assignments(settings) | ({} if weights is None else {"weights": weights})
    chosen = override(found.quick if quick else found.settings, changes)
    meeting = Meeting(machines=machines, at=meet) if machines > 1 or meet else None
    together: dict[str, Any] = {"engine": engine_of(jobs, ray), "processes": processes, "meeting": meeting}
    locked = train_run(found, cohort, run=run, settings=chosen, trainer=assignments(trainer), **together)
    if caution := locked.caution:
        typer.echo(f"caution: {caution}")
    typer.echo(f"locked model and internal results: {run}\nnext: hepatica report {run}")


@in_stores
def validate(
    run: Run,
    cohort: Cohort,
    out: Annotated[
        Path | None, typer.Option(help="Folder or URL for the results; RUN/external/COHORT by default.")
    ] = None,
    settings: Reading = None,
    least_follow_up: Annotated[
        float | None,
        typer.Option(
            metavar="MONTHS", help="Exclude from the statistics patients followed event-free for less.", min=0
        ),
    ] = None,
    jobs: JobsOf = "1",
    ray: Ray = None,
) -> None:
    """Test a locked model on another cohort, without refitting and with the locked cut-offs."""
    from hepatica.cohort import Months
    from hepatica.runs import validate as validate_run

    results = out or run / "external" / cohort.resolve().name
    least = None if least_follow_up is None else Months(least_follow_up)
    engine = engine_of(jobs, ray)
    validate_run(run, cohort, out=results, changes=assignments(settings), least_follow_up=least, engine=engine)
    typer.echo(f"external results: {results}\nnext: hepatica report {run}")


@in_stores
def predict(
    run: Run,
    out: Annotated[
        Path,
        typer.Option(
            help="Folder, or URL of one, for the page, predictions.csv, images (PNG), QuPath overlays (GeoJSON), DICOM."
        ),
    ],
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="A cohort folder; or slides, CT or MR studies (folders, archives, NIfTI, NRRD, pictures) or spectra,"
            " one patient each; or folders of them. A DICOM export of many patients is sorted by patient.",
        ),
    ] = None,
    dicomweb: DicomWebUrl = None,
    study: StudyUid = None,
    mpp: Annotated[float | None, typer.Option(help="Micrometres per pixel, for files that do not contain it.")] = None,
    force_mpp: Annotated[
        bool, typer.Option("--force-mpp", help="Use --mpp even if the file has another value.")
    ] = False,
    pictures: Annotated[int, typer.Option(help="Draw at most this many specimens.", min=0)] = 20,
    names: Annotated[
        bool, typer.Option("--names", help="Also write names.csv, and into the page, which file each number is.")
    ] = False,
    settings: Reading = None,
    jobs: JobsOf = "1",
    ray: Ray = None,
) -> None:
    """Predict new patients with a locked model and show which regions of the specimen contribute to the risk.

    OUT/report.html has each score beside its cut-off, whether the specimen is like those of training, and the pictures.
    Outputs are numbered in input order; file names are not used, to protect identity. Rows are written as they are
    done; after an interruption the same command goes on. For a DICOM study, specimen_0001_dicom contains a structured
    report, segmentations, saliency maps and captures, ready to be sent to the archive of origin. Specimens that could
    not be read are listed with the reason in OUT/prepared/ledger.
    """
    from hepatica.cohort import MicronsPerPixel, NotAssessableError, patient_scores, targets
    from hepatica.cohort.predictions import of_patients
    from hepatica.report.documents.predictions_page import write_predictions_page
    from hepatica.runs import predict as predict_run
    from hepatica.runs.in_use import in_use
    from hepatica.runs.inputs import left_out

    resolution = None if mpp is None else MicronsPerPixel(mpp)
    changes = assignments(settings)
    inputs, engine = given(inputs, dicomweb=dicomweb, study=study, out=out), engine_of(jobs, ray)
    try:
        with nullcontext() if engine.share else in_use(out):
            table = predict_run(
                run, inputs, out=out, mpp=resolution, force_mpp=force_mpp, pictures=pictures, names=names,
                changes=changes, engine=engine,
            )  # fmt: skip
    except NotAssessableError:
        typer.echo(f"page, with the reason of each: {write_predictions_page(run, out=out)}")
        raise
    for target in targets(table):
        found = patient_scores(table, target=target)
        if target.task == "quantities":
            typer.echo(f"{target.label}: {len(found)} values of {found.index.nunique()} patient(s), in predictions.csv")
            continue
        of_class = of_patients(table, target=target).set_index("patient_id")["class_or_quantity"]
        found = found[(of_class.isna() | (of_class == found["group"])).to_numpy()]  # of classes, the one called
        unusual = _patients(table, table["applicability"] == "unusual")
        shown = ", ".join(
            f"{row.score:.3f} ({row.group}{', UNUSUAL' if row.Index in unusual else ''})"
            for row in found.head(5).itertuples()
        )
        typer.echo(f"{target.label}, {len(found)} patient(s): {shown}{', …' if len(found) > 5 else ''}")
    for line in [*cautions(table), *remarks(out / "specimens.csv"), *left_out(inputs, run=run)]:
        typer.echo(line)
    typer.echo(f"predictions and images: {out}\npage: {write_predictions_page(run, out=out)}")


def cautions(table: "pd.DataFrame") -> list[str]:
    """How many patients of a predictions table have no score, or one that should not be relied on, and why."""
    rows = {
        "not assessable, no score": table["score"].isna() & table["specimen_id"].isna(),
        "UNUSUAL, unlike the specimens of training: their scores may be wrong, however high or low": table[
            "applicability"
        ]
        == "unusual",
        "SEEN IN TRAINING: their scores say nothing about new patients": table["seen_in_training"],
    }
    found = {text: len(_patients(table, chosen)) for text, chosen in rows.items()}
    return [f"{count} of {table['patient_id'].nunique()} patient(s) {text}" for text, count in found.items() if count]


def _patients(table: "pd.DataFrame", chosen: "pd.Series[bool]") -> set[str]:
    return set(table.loc[chosen, "patient_id"])


def remarks(specimens: Path) -> list[str]:
    """Of the first specimens: the risk score, corrections and unusual findings, or why one was not read."""
    import pandas as pd

    every = pd.read_csv(specimens)
    failed = every.get("applicability", pd.Series(index=every.index)) == "not_assessable"
    table = pd.concat([every[failed], every[~failed]]).head(5).sort_values("row")
    lines = []
    for row in table.astype(object).where(table.notna(), "").to_dict("records"):
        number = row["row"]  # as in the names of its pictures
        if row.get("risk", "") != "":
            lines.append(
                f"specimen {number}: risk score {row['risk']:.3f} ({row['low']:.3f} to {row['high']:.3f} over images),"
                f" {row['images']:.0f} images, {row['phases']}"
            )
        lines += [f"specimen {number}: {row[name]}" for name in ("notes", "flags", "reason") if row.get(name)]
    return lines


@in_stores
def explain(
    run: Run,
    cohort: Cohort,
    results: Annotated[
        Path | None, typer.Option(help="Folder of the results to explain; those of this cohort in RUN by default.")
    ] = None,
    specimens: Annotated[
        int, typer.Option(help="Number of specimens to draw, half of high and half of low risk.", min=1)
    ] = 4,
    jobs: JobsOf = "1",
    ray: Ray = None,
) -> None:
    """Draw risk and saliency maps of specimens that were not used for training."""
    from hepatica.runs import explain as explain_run

    engine = engine_of(jobs, ray)
    drawn = explain_run(run, cohort, results=results, specimens=specimens, engine=engine)
    typer.echo("\n".join(str(path) for path in drawn))


@in_stores
def report(
    run: Run,
    external: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of a validation to include; all of RUN/external by default; repeatable."),
    ] = None,
) -> None:
    """Write RUN/report.html with figures, and the model card, from the results of the run and its validations."""
    from hepatica.report import write_report

    typer.echo(f"report: {write_report(run, external=external or None)}")


PANELS = {
    "Main job": (train, validate, predict, explain, report, verify, study),
    "Server": (serve, node, users),
    "Data": (init, check, phantom.app, fetch.app, fetch.features, deidentify, export),
    "Statistics": (evaluate.app, scores, readers, audit),
    "Tools": (systems, quantify, nuclei.app, basis.app, slurm, bench, doctor, demo),
}
"""Commands, and groups of commands, as `hepatica --help` shows them."""

for panel, commands in PANELS.items():
    for command in commands:
        if isinstance(command, typer.Typer):
            app.add_typer(command, rich_help_panel=panel)
        else:
            app.command(rich_help_panel=panel)(command)

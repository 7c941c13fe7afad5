"""App: the commands of hepatica, each a thin call of the function of the same name."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from hepatica.cli import basis, evaluate, fetch, phantom
from hepatica.cli import doctor as doctor_command
from hepatica.cli import systems as systems_command
from hepatica.cli.audit import audit
from hepatica.cli.deidentify import deidentify
from hepatica.cli.demo import demo
from hepatica.cli.export import export
from hepatica.cli.quantify import quantify
from hepatica.cli.readers import readers
from hepatica.cli.study import study

app = typer.Typer(
    help="Published deep-learning systems for hepatocellular carcinoma, made to work on your cohort.\n\n"
    "A cohort goes in, a published system is trained on it, locked, validated on another cohort, explained and"
    " reported. Begin with: hepatica demo",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(demo)
app.command()(study)
app.command("systems")(systems_command.systems)
app.command("doctor")(doctor_command.doctor)
app.add_typer(phantom.app, name="phantom")
app.add_typer(fetch.app, name="fetch")
app.add_typer(basis.app, name="basis")
app.add_typer(evaluate.app, name="evaluate")
app.command()(readers)
app.command()(audit)
app.command()(export)
app.command()(deidentify)
app.command()(quantify)

Cohort = Annotated[Path, typer.Argument(help="Cohort folder: cohort.toml, patients.csv, specimens.csv.", exists=True)]
Run = Annotated[Path, typer.Argument(help="Run folder, as hepatica train made it.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting of the system; repeatable. Values as in TOML."),
]
Trainer = Annotated[
    list[str] | None,
    typer.Option(
        "--trainer", metavar="KEY=VALUE", help="A flag of Lightning's Trainer, such as devices=2; repeatable."
    ),
]


def assignments(words: list[str] | None) -> dict[str, Any]:
    """KEY=VALUE words as a mapping; a value is read as TOML, and as plain text where it is none."""
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


@app.command()
def train(
    system: Annotated[str, typer.Argument(help="Name of a published system; hepatica systems lists them.")],
    cohort: Cohort,
    run: Annotated[Path, typer.Option(help="Run folder to make, or to go on with after a stop.")],
    settings: Settings = None,
    weights: Annotated[
        str | None,
        typer.Option(help="Starting weights: imagenet (fetched by timm), random, or a .safetensors file."),
    ] = None,
    trainer: Trainer = None,
) -> None:
    """Train a published system on a cohort, lock it and test it on patients held out from the start.

    The run folder holds settings, split, locked model, cut-offs, predictions and statistics. Stopped at any moment, the
    same command goes on where it stood and ends with the same model.
    """
    from hepatica.protocol import override
    from hepatica.runs import train as train_run
    from hepatica.systems import find_system

    found = find_system(system)
    changes = assignments(settings) | ({} if weights is None else {"weights": weights})
    train_run(found, cohort, run=run, settings=override(found.settings, changes), trainer=assignments(trainer))
    typer.echo(f"locked model and internal results: {run}\nnext: hepatica report {run}")


@app.command()
def validate(
    run: Run,
    cohort: Cohort,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results; RUN/external/COHORT when not given.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Read the specimens otherwise than in training, such as tiles_per_specimen=65 for whole slides, which"
            " have far more tissue; repeatable. What is locked is refused.",
        ),
    ] = None,
    least_follow_up: Annotated[
        float | None,
        typer.Option(
            metavar="MONTHS", help="Predict, but do not report, patients followed event-free for less.", min=0
        ),
    ] = None,
) -> None:
    """Test a locked model on another cohort: nothing is refitted, cut-offs stay as locked."""
    from hepatica.cohort import Months
    from hepatica.runs import validate as validate_run

    results = out or run / "external" / cohort.resolve().name
    least = None if least_follow_up is None else Months(least_follow_up)
    validate_run(run, cohort, out=results, changes=assignments(settings), least_follow_up=least)
    typer.echo(f"external results: {results}\nnext: hepatica report {run}")


@app.command()
def predict(
    run: Run,
    inputs: Annotated[
        list[Path],
        typer.Argument(
            help="One cohort folder; or slide files; or CT studies (folders, zip archives, NIfTI files, folders of"
            " pictures); each file or study one patient's."
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="Folder for predictions.csv, pictures (PNG), QuPath overlays (GeoJSON) and DICOM.")
    ],
    mpp: Annotated[
        float | None, typer.Option(help="Micrometres per pixel of the files, where they do not tell.")
    ] = None,
    pictures: Annotated[int, typer.Option(help="Draw at most this many specimens.", min=0)] = 20,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Read the specimens otherwise than in training; as in hepatica validate."
        ),
    ] = None,
) -> None:
    """Predict new patients with a locked model and show where in the specimen the risk comes from.

    Outputs are called by the order of the inputs (or the row in specimens.csv), never by file names. A DICOM study is
    given back a structured report, segmentations, saliency maps and captures in specimen_0001_dicom, ready to be sent
    to the archive it came from. What could not be read, and why, stands in OUT/prepared/ledger.
    """
    from hepatica.cohort import MicronsPerPixel, patient_scores, targets
    from hepatica.runs import predict as predict_run

    resolution = None if mpp is None else MicronsPerPixel(mpp)
    changes = assignments(settings)
    table = predict_run(run, inputs, out=out, mpp=resolution, pictures=pictures, changes=changes)
    for target in targets(table):
        found = patient_scores(table, target=target)
        shown = ", ".join(f"{row.score:.3f} ({row.group})" for row in found.head(5).itertuples())
        typer.echo(f"{target.label}, {len(found)} patient(s): {shown}{', …' if len(found) > 5 else ''}")
    for line in told(out / "specimens.csv"):
        typer.echo(line)
    typer.echo(f"predictions and pictures: {out}")


def told(specimens: Path) -> list[str]:
    """What not to overlook of the first specimens: the risk score, what was mended or unusual, why one was not read."""
    import pandas as pd

    table = pd.read_csv(specimens).head(5)
    lines = []
    for row in table.astype(object).where(table.notna(), "").to_dict("records"):
        number = row["row"]  # as in the names of its pictures
        if row.get("risk", "") != "":
            lines.append(
                f"specimen {number}: risk score {row['risk']:.3f} ({row['low']:.3f} to {row['high']:.3f} over images),"
                f" {row['images']:.0f} images, {row['phases']}"
            )
        lines += [f"specimen {number}: {row[name]}" for name in ("notes", "flags", "error") if row.get(name)]
    return lines


@app.command()
def explain(
    run: Run,
    cohort: Cohort,
    results: Annotated[
        Path | None, typer.Option(help="Results to explain: a validation's folder; the run itself when not given.")
    ] = None,
    specimens: Annotated[
        int, typer.Option(help="How many specimens to draw, half of high and half of low risk.", min=1)
    ] = 4,
) -> None:
    """Draw where the risk lies in specimens the model was not trained on, and what it looks at in them."""
    from hepatica.runs import explain as explain_run

    drawn = explain_run(run, cohort, results=results or run, specimens=specimens)
    typer.echo("\n".join(str(path) for path in drawn))


@app.command()
def report(
    run: Run,
    external: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of a validation to put beside; those under RUN/external when not given; repeatable."),
    ] = None,
) -> None:
    """Write RUN/report.html, its figures and the model card from what the run and its validations found."""
    from hepatica.report import write_report

    typer.echo(f"report: {write_report(run, external=external or None)}")

"""Nuclei: the commands that train a nuclear U-Net, and find, class and measure the nuclei of slides."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from hepatica.cli.options import Quick, Settings, Trainer, assignments

app = typer.Typer(
    name="nuclei",
    help="Nuclei of H&E: train a U-Net for them, find, class, measure and export them for QuPath.",
    no_args_is_help=True,
)


@app.command()
def train(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder of images with label maps: NAME.png with NAME_label.png, or images/ with masks/.", exists=True
        ),
    ],
    run: Annotated[Path, typer.Option(help="Folder to create, or to resume after an interruption.")],
    quick: Quick = False,
    settings: Settings = None,
    trainer: Trainer = None,
) -> None:
    """Train a nuclear U-Net, lock it, and compare it with haematoxylin-Otsu and watershed.

    Images are set apart for the test by their appearance, so that every test image differs in colour from every
    training image. RUN contains the locked network, the comparison by Dice, AJI and PQ, outlines drawn on test images,
    and a model card. About five minutes on two processor cores.
    """
    from hepatica.pathology.nuclei.training import QUICK, NucleiPlan
    from hepatica.pathology.nuclei.trial import train_nuclei
    from hepatica.protocol import override

    plan = override(NucleiPlan(), (dict(QUICK) if quick else {}) | assignments(settings))
    found = train_nuclei(folder, run=run, plan=plan, trainer=assignments(trainer))
    table = [line for line in found.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    typer.echo("\n".join(table[: table.index("| Setting | Value |")]))
    typer.echo(f"model card: {found}\nnext: hepatica nuclei find SLIDE --model {run} --out result")


@app.command()
def find(
    inputs: Annotated[list[Path], typer.Argument(help="Slides, or pictures with --mpp.", exists=True)],
    out: Annotated[Path, typer.Option(help="Folder for tables, pictures (PNG) and QuPath detections (GeoJSON).")],
    model: Annotated[
        Path | None, typer.Option(help="Folder of hepatica nuclei train; without it haematoxylin-Otsu and watershed.")
    ] = None,
    detections: Annotated[
        Path | None,
        typer.Option(
            help="Nuclei of one slide as QuPath, HoVer-Net, StarDist or Cellpose wrote them, to be measured instead.",
            exists=True,
        ),
    ] = None,
    mpp: Annotated[float | None, typer.Option(help="Micrometres per pixel, for files that do not contain it.")] = None,
    windows: Annotated[
        int | None, typer.Option(help="Windows of 256 µm drawn at random of each; all by default.")
    ] = None,
) -> None:
    """Find the nuclei of slides: size, shape, stain, texture and class of each, densities and neighbours.

    Outputs are numbered in input order; file names are not used, to protect identity.
    """
    from hepatica.cohort import SettingsError
    from hepatica.pathology.nuclei.slides import write_nuclei
    from hepatica.pathology.nuclei.training import open_finder

    if detections is not None and (model is not None or len(inputs) > 1):
        raise SettingsError("got --detections with several slides or a --model; name the one slide they are of")
    table = write_nuclei(inputs, out=out, finder=open_finder(model), mpp=mpp, windows=windows, detections=detections)
    for row in table.to_dict("records"):
        typer.echo(f"specimen {row['row']}: {_counted(row)}")
    typer.echo(f"tables, pictures and detections: {out}")


def _counted(row: Mapping[Any, Any]) -> str:
    if isinstance(row.get("error"), str):
        return f"not read: {row['error']}"
    shares = ", ".join(f"{row[f'share_{kind}']:.0%} {kind}" for kind in ("parenchymal", "lymphocyte", "stromal"))
    return f"{row['nuclei']:.0f} nuclei in {row['tissue_mm2']:.3g} mm² ({shares})"


@app.command()
def phantom(
    folder: Annotated[Path, typer.Argument(help="Folder to create.")],
    pictures: Annotated[int, typer.Option(help="Number of pictures.", min=1)] = 40,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.", min=0)] = 0,
) -> None:
    """Write phantom pictures of nuclei with their label maps, stained by two hospitals, to train on."""
    from hepatica.pathology.nuclei.pictures import drawn_pictures, write_pictures

    write_pictures(folder, drawn_pictures(pictures, seed=seed))
    typer.echo(f"{pictures} phantom pictures: {folder}\nnext: hepatica nuclei train {folder} --run nuclei")

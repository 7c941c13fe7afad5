"""Export: the command that writes a locked model's networks for prediction on a plain CPU."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def export(
    run: Annotated[Path, typer.Argument(help="Run folder, as hepatica train made it.")],
    cohort: Annotated[Path, typer.Argument(help="The cohort folder it was trained on.", exists=True)],
    form: Annotated[Literal["onnx"], typer.Option("--format", help="What to write.")] = "onnx",
    int8: Annotated[
        bool, typer.Option("--int8", help="Convolutions in 8 bits: faster again, and scores differ a little.")
    ] = False,
) -> None:
    """Write a locked model's networks to RUN/onnx, where hepatica predict finds and uses them.

    Images of training patients give the ranges of the 8-bit numbers, and answers are compared on them with those of the
    network itself; export.json keeps the differences. No image is stored. Remove RUN/onnx to predict as before.
    """
    from hepatica.cohort.atomic import read_json
    from hepatica.runs.export import export as export_run
    from hepatica.runs.export import training_images

    folder = export_run(run, calibration=training_images(run, cohort), int8=int8)
    found = read_json(folder / "export.json")
    for part in found["parts"].values():
        typer.echo(
            f"{folder / part['file']}: logits within {part['largest_logit_difference']:.2g} of the network's,"
            f" {part['calls_changed']} of {found['images']} calls at even odds differ, on images it was trained on"
        )

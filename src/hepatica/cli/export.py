"""Export: the command that writes the networks of a locked model for prediction on a CPU."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from hepatica.cli.options import Run


def export(
    run: Run,
    cohort: Annotated[Path, typer.Argument(help="Cohort folder the model was trained on.", exists=True)],
    form: Annotated[Literal["onnx"], typer.Option("--format", help="File format.")] = "onnx",
    int8: Annotated[
        bool, typer.Option("--int8", help="8-bit convolutions: faster still, with slightly different scores.")
    ] = False,
) -> None:
    """Export a locked model to RUN/onnx, which makes hepatica predict faster on a CPU.

    Images of training patients calibrate the 8-bit numbers and are used to compare the outputs with those of the
    original network; differences are written to export.json. No image is stored. Remove RUN/onnx to undo the export.
    """
    from hepatica.cohort.atomic import read_json
    from hepatica.runs.export import export as export_run
    from hepatica.runs.export import training_images

    folder = export_run(run, calibration=training_images(run, cohort), int8=int8)
    found = read_json(folder / "export.json")
    for part in found["parts"].values():
        typer.echo(
            f"{folder / part['file']}: logits differ by at most {part['largest_logit_difference']:.2g},"
            f" {part['calls_changed']} of {found['images']} calls at a cut-off of 0.5 differ, on training images"
        )

"""Demo: the main job from end to end on two phantom hospitals."""

from pathlib import Path
from typing import Annotated

import typer

THREADS = 2


def demo(
    folder: Annotated[Path, typer.Argument(help="Folder for cohorts, run and report.")] = Path("hepatica-demo"),
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = 0,
) -> None:
    """Train, lock, validate, explain and report a system on two phantom hospitals, in a few minutes.

    The system is CNN-SASM, the slides are synthetic: the results show that the software works, nothing about patients.
    Two threads are used on any machine, for sums over another number of threads differ in their last digits.
    """
    import torch

    from hepatica.cohort import SlidePixels
    from hepatica.pathology.phantom import PhantomSettings
    from hepatica.protocol import override
    from hepatica.report import write_report
    from hepatica.runs import explain, train, validate
    from hepatica.systems import find_system

    torch.set_num_threads(THREADS)
    system = find_system("li_2025_cnn_sasm")
    hospitals = {"A": 120, "B": 80}
    pictures = PhantomSettings(side=SlidePixels(768))
    cohorts = {name: folder / f"hospital_{name.lower()}" for name in hospitals}
    for number, (name, patients) in enumerate(hospitals.items()):
        typer.echo(f"phantom hospital {name}: {patients} patients, two slides each")
        system.phantom(
            cohorts[name], patients=patients, seed=seed + number, hospital=name, difficulty=0.3, settings=pictures
        )
    run, external = folder / "run", folder / "run" / "external" / "hospital_b"
    typer.echo("training on hospital A, without its test patients")
    train(system, cohorts["A"], run=run, settings=override(system.quick, {"seed": seed}))
    typer.echo("validating the locked model on hospital B")
    validate(run, cohorts["B"], out=external)
    typer.echo("explaining and reporting")
    explain(run, cohorts["A"], results=run)
    explain(run, cohorts["B"], results=external)
    typer.echo(f"report: {write_report(run, external=[external])}")
    typer.echo("next, with your own patients: hepatica init FOLDER_OF_FILES TABLE.xlsx --out my_hospital")

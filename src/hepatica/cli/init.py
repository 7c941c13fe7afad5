"""Init: the command that makes a cohort folder from what is on disk."""

from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[
        Path, typer.Argument(help="Downloaded copy of the set, unpacked; nothing in it is changed.", exists=True)
    ],
    layout: Annotated[
        str,
        typer.Option(help="Which set it is: a name of the table above."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Cohort folder to create; by default FOLDER with _cohort added to its name.")
    ] = None,
) -> None:
    """Make a cohort folder from a downloaded public set of liver images.

    The new folder has cohort.toml, patients.csv, specimens.csv and, where the set marks lesions, lesions.csv. Images
    are not copied: the folder links to them. Masks that are single slices are converted to NIfTI. The licence of the
    set is printed and kept in cohort.toml; you agree to it with its owner, not here.

    | layout | set | lesions | outcomes | licence |
    |---|---|---|---|---|
    | waw-tace | CT before TACE, four phases | HCC, masks | survival | CC BY 4.0 |
    | hcc-tace-seg | CT before TACE | HCC, masks | progression, survival | CC BY 4.0 |
    | lld-mmri | MR, eight sequences | seven classes, boxes | none | CC BY-NC 4.0 |
    | liverhccseg | MR, four phases, two readers | HCC, masks | none | CC BY 4.0 |
    | chaos | CT and MR of healthy livers | none; liver masks | none | CC BY-NC-SA 4.0 |
    | 3d-ircadb | CT, portal venous | tumours, masks | none | CC BY-NC-ND 4.0 |
    | lits | CT, portal venous | tumours, masks | none | CC BY-NC-ND 4.0, to be read on its page |
    | msd | CT, portal venous (Decathlon, Task03 and Task08) | tumours, masks | none | CC BY-SA 4.0 |
    | aul | ultrasound | benign or malignant, outlines | none | CC BY 4.0 |
    | smc-lud | ultrasound | HCC or hemangioma | none | to be read on its page |

    Outcomes are workbooks: save them as CSV UTF-8 beside the images first. Then, for example:

    hepatica init --layout waw-tace ~/Downloads/WAW-TACE --out waw

    hepatica train peng_2020_tace waw --run my_run
    """
    from hepatica.radiology.layouts import cohort_of

    made = cohort_of(folder, out or folder.resolve().with_name(f"{folder.resolve().name}_cohort"), layout=layout)
    typer.echo(f"{made.layout.title}: {made.patients} patients, {made.specimens} specimens, {made.lesions} lesions")
    typer.echo(f"licence: {made.layout.licence}\ncite: {made.layout.cite}")
    for note in (*made.notes, f"not verified: {made.layout.unverified}"):
        typer.echo(note)
    typer.echo(f"cohort: {made.folder}")

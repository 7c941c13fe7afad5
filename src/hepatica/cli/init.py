"""Init: the command that makes a cohort folder from what is on disk."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from hepatica.cli.options import texts


def init(
    folder: Annotated[
        Path, typer.Argument(help="Folder of slides, scans or spectra; nothing in it is changed.", exists=True)
    ],
    table: Annotated[
        Path | None,
        typer.Argument(
            help="Table of the patients: an Excel workbook, or CSV as Excel or REDCap write it.", exists=True
        ),
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(help="For a downloaded public set, without a table: a name of the list above."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Cohort folder to create; by default FOLDER with _cohort added to its name.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="ROLE=COLUMN",
            help="Which column is what, where it was taken wrongly: patient_id, file, index_date, recurrence_date,"
            " death_date, last_seen_date, recurrence_time, recurrence_event, overall_survival_time, …; repeatable.",
        ),
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Keep a column that was dropped; repeatable.")
    ] = None,
    dates: Annotated[
        Literal["day-first", "month-first"] | None,
        typer.Option(help="What dates begin with, where those of the table do not show it."),
    ] = None,
    modality: Annotated[
        Literal["ct", "mr", "ultrasound", "spectrum"] | None,
        typer.Option(help="What NIfTI, NRRD and MHA are; ct by default."),
    ] = None,
) -> None:
    """Make a cohort folder from a folder of files and a table of patients.

    The new folder has cohort.toml, patients.csv and specimens.csv. Files are not copied: it links to them. Files are
    given to patients by the study id, or the record number, in their name, folder or DICOM header; a DICOM export of
    many patients is sorted by patient. Times become months since surgery, or another index date. Names, record numbers,
    birth dates and all other dates are dropped. What each column became is printed; correct it with --set, or in the
    new folder.

    hepatica init slides table.xlsx --out my_hospital

    hepatica check my_hospital

    With --layout the folder is a downloaded public set of liver images. The licence of the set is printed and kept in
    cohort.toml; you agree to it with its owner, not here. Masks that are single slices are converted to NIfTI.

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

    Outcomes of a set are workbooks: save them as CSV UTF-8 beside the images first.

    hepatica init --layout waw-tace ~/Downloads/WAW-TACE --out waw
    """
    place = out or folder.resolve().with_name(f"{folder.resolve().name}_cohort")
    if layout is not None:
        _layout(folder, place, layout=layout)
        return
    from hepatica.cohort.draft import draft_cohort
    from hepatica.radiology.dicom.export import by_patient

    made = draft_cohort(
        folder, place, table=table, given=texts(columns), keep=keep or [], order=dates, modality=modality,
        split=by_patient,
    )  # fmt: skip
    width = max(map(len, ["column of the table", *made.columns]))
    for name, fate in {"column of the table": "becomes", **made.columns}.items() if made.columns else ():
        typer.echo(f"{name:<{width}}  {fate}")
    for note in made.notes:
        typer.echo(f"- {note}")
    endpoints = ", ".join(made.endpoints) or "none yet: add them to cohort.toml"
    typer.echo(f"{made.patients} patients, {made.specimens} specimens, endpoints: {endpoints}")
    typer.echo(f"cohort: {made.folder}\nnext: hepatica check {made.folder}")


def _layout(folder: Path, out: Path, *, layout: str) -> None:
    from hepatica.radiology.layouts import cohort_of

    made = cohort_of(folder, out, layout=layout)
    typer.echo(f"{made.layout.title}: {made.patients} patients, {made.specimens} specimens, {made.lesions} lesions")
    typer.echo(f"licence: {made.layout.licence}\ncite: {made.layout.cite}")
    for note in (*made.notes, f"not verified: {made.layout.unverified}"):
        typer.echo(note)
    typer.echo(f"cohort: {made.folder}")

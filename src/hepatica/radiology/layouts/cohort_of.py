"""Cohort of: a cohort folder made from a downloaded public set, whose images stay; its boxes and slice masks read."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pydicom
import tomli_w
from PIL import Image, ImageDraw

from hepatica.cohort import load_cohort
from hepatica.cohort.atomic import write_table, write_text
from hepatica.cohort.delimited import read_table
from hepatica.cohort.errors import CohortError, SpecimenError, reading
from hepatica.cohort.faults import Faults, did_you_mean
from hepatica.cohort.further_table import UNITS
from hepatica.cohort.specimens import ATTACHMENTS
from hepatica.radiology.dicom.frames import tolerant
from hepatica.radiology.dicom.geometry import Geometry, from_lps
from hepatica.radiology.dicom.nifti import write_nifti
from hepatica.radiology.layouts.layout import Item, Layout, Table, read_layout


def mask_of_slices(marks: Path, images: Path, *, values: tuple[int, int]) -> tuple[np.ndarray, Geometry]:
    """(z y x) uint8, 1 where a value lies within `values`, and where it lies by the positions of the DICOM `images`.

    Marks and images are paired in the order of their names, numbers by their size. SpecimenError where they are not as
    many, not of one matrix, or cannot be read.
    """
    with reading("the mask"), tolerant():
        paths = [_in_order(folder) for folder in (marks, images)]
        if len(paths[0]) != len(paths[1]) or len(paths[0]) < 2:
            raise SpecimenError(f"got {len(paths[0])} slices of the mask for {len(paths[1])} of the series")
        headers = [pydicom.dcmread(path, stop_before_pixels=True, force=True) for path in paths[1]]
        places = np.array([header.ImagePositionPatient for header in headers], float)
        rows, columns = np.split(np.array(headers[0].ImageOrientationPatient, float), 2)
        heights = places @ np.cross(rows, columns)
        order = np.argsort(heights)
        marked = np.stack([_pixels(paths[0][k]) for k in order])
    z, y, x = marked.shape
    lps = np.eye(4)
    down, across = (float(each) for each in headers[0].PixelSpacing)
    step = (places[order[-1]] - places[order[0]]) / (z - 1)
    lps[:3] = np.stack([rows * across, columns * down, step, places[order[0]]], axis=1)
    low, high = values
    return ((marked >= low) & (marked <= high)).astype(np.uint8), from_lps(lps, shape=(z, y, x))


def polygon_mask(points: Path, picture: Path, *, path: Path) -> Path:
    """Write 2, a lesion, within the polygon of a JSON list of x and y on a picture, as a picture of its size."""
    with reading("the outline"), Image.open(picture) as image:
        corners = [(float(x), float(y)) for x, y in json.loads(points.read_text(encoding="utf-8"))]
        made = Image.new("L", image.size)
        ImageDraw.Draw(made).polygon(corners, fill=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save(path)
    return path


def _in_order(folder: Path) -> list[Path]:
    files = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    return sorted(
        files, key=lambda path: [int(each) if each.isdigit() else 0 for each in re.split(r"(\d+)", path.name)]
    )


def _pixels(path: Path) -> np.ndarray:
    if path.suffix.lower() == ".png":
        with Image.open(path) as picture:
            return np.asarray(picture.convert("L"))
    return np.asarray(pydicom.dcmread(path, force=True).pixel_array)


_nifti: Any = nib


def boxed_items(layout: Layout, annotations: Path, *, folder: Path) -> Iterator[Item]:
    """The images of each patient and the lesions of the preferred phase that is there; SpecimenError for no such JSON.

    `Annotation.json` has, of each patient, an entry a phase with studyUID, seriesUID, phase, and
    annotation.lesion.N with category and bbox.3D_box (x_min ... z_max, whole voxels of the NIfTI file, both included),
    as `main/preprocess/crop_roi.py` of LMMMEng/LLD-MMRI2023 reads it.
    """
    try:
        patients = json.loads(annotations.read_text(encoding="utf-8"))["Annotation_info"]
        for patient, entries in sorted(patients.items()):
            there = {}
            for entry in entries:
                path = f"images/{patient}/{entry['studyUID']}/{entry['seriesUID']}.nii.gz"
                phase = layout.phases.get(entry["phase"])
                if phase and (folder / path).is_file():
                    there[phase] = entry, path
                    yield Item(role="image", patient=patient, specimen=patient, path=path, modality="mr", phase=phase)
            first = next((there[phase] for phase in layout.phases.values() if phase in there), None)
            if first:
                yield from _lesions(layout, patient, *first, folder=folder)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SpecimenError(
            f"{annotations.name} is not as LLD-MMRI writes it ({type(error).__name__}: {error}); download it again"
        ) from error


def _lesions(layout: Layout, patient: str, entry: dict[str, Any], path: str, *, folder: Path) -> Iterator[Item]:
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ _nifti.load(folder / path).affine
    for number, lesion in sorted(entry["annotation"]["lesion"].items()):
        box = lesion["bbox"]["3D_box"]
        low, high = (np.array([float(box[f"{axis}_{end}"]) for axis in "xyz"]) for end in ("min", "max"))
        centre = (affine @ [*(low + high) / 2, 1])[:3]
        sides = (high - low + 1) * np.linalg.norm(affine[:3, :3], axis=0)
        place = (*(float(each) for each in centre), float(sides.max()))
        label = layout.classes.get(str(lesion["category"]), "")
        yield Item(role="lesion", patient=patient, specimen=patient, lesion=str(number), label=label, place=place)


DATA, MASKS = "data", "masks"
"""The link to the download, and the folder of masks that had to be converted."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """A cohort `folder`: how many patients, specimens and lesions it has, and what its user should know."""

    layout: Layout
    folder: Path
    patients: int
    specimens: int
    lesions: int
    notes: tuple[str, ...]


def cohort_of(download: Path, folder: Path, *, layout: str) -> Made:
    """Make the cohort `folder` from a `download` of the set `layout` (one of LAYOUTS) and check it as a whole.

    The images are not copied: `folder/data` is a link to them. Masks that are single slices are converted to NIfTI in
    `folder/masks`. SettingsError for an unknown layout; CohortError where the folder is not empty, the download has
    nothing of the set, or a table of it is damaged.
    """
    chosen = read_layout(layout)
    if folder.exists() and any(folder.iterdir()):
        raise CohortError(f"{folder} is not empty; give a folder to create")
    items = [*chosen.items(download)]
    for path in sorted(download.rglob(chosen.annotations)) if chosen.annotations else ():
        items += boxed_items(chosen, path, folder=path.parents[1])
    examinations, left = _examinations(items, needs=chosen.needs)
    if not examinations:
        raise CohortError(f"got nothing of {chosen.title} in {download}, wanted files such as {chosen.example}")
    notes = [f"{left} examinations without a {chosen.needs} are left out"] if left else []
    outcomes = {item.patient: item.outcome for own in examinations for item in own if item.role == "image"}
    patients = pd.DataFrame({"patient_id": list(outcomes)})
    if chosen.endpoint:
        patients[chosen.endpoint] = list(outcomes.values())
    if chosen.table:
        patients, remark = _with_table(patients, chosen.table, download=download)
        notes.append(remark)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DATA).symlink_to(download.resolve(), target_is_directory=True)
    rows = [_rows(own, chosen, folder=folder) for own in examinations if own[0].patient in set(patients["patient_id"])]
    specimens = pd.DataFrame([row for row, _, _ in rows])
    lesions = pd.DataFrame([lesion for _, marked, _ in rows for lesion in marked])
    notes += [note for _, _, remarks in rows for note in remarks]
    _write(folder, chosen, patients=patients, specimens=specimens, lesions=lesions)
    load_cohort(folder)
    return Made(
        layout=chosen, folder=folder, patients=len(patients), specimens=len(specimens), lesions=len(lesions),
        notes=tuple(filter(None, dict.fromkeys(notes))),
    )  # fmt: skip


def _examinations(items: Iterable[Item], *, needs: str) -> tuple[list[list[Item]], int]:
    """The items of each specimen that has an image, and how many of those lack what is needed."""
    found = defaultdict(list)
    for item in items:
        found[item.patient, item.specimen].append(item)
    shown = [own for own in found.values() if any(item.role == "image" for item in own)]
    whole = [own for own in shown if not needs or any(item.role == needs for item in own)]
    return whole, len(shown) - len(whole)


def _rows(
    own: Sequence[Item], layout: Layout, *, folder: Path
) -> tuple[dict[str, Any], list[dict[str, Any]], list[str]]:
    """The row of a specimen, those of its lesions, and notes. Its path is the phase that its lesions are marked in."""
    images = [item for item in own if item.role == "image"]
    order = [*(item.phase for item in own if item.role == "lesion"), *layout.phases.values(), ""]
    main = next(item for phase in order for item in images if item.phase == phase)
    ids = {"patient_id": main.patient, "specimen_id": main.specimen}
    row: dict[str, Any] = {**ids, "modality": main.modality, "path": f"{DATA}/{main.path}"}
    row |= {"phase": main.phase} if main.phase else {}
    row |= {item.phase.replace(" ", "_"): f"{DATA}/{item.path}" for item in images if item.phase and item is not main}
    lesions: list[dict[str, Any]] = []
    notes = []
    for item in own:
        try:
            mask = _mask(item, folder=folder) if item.role != "image" and item.path else ""
        except SpecimenError as error:
            notes.append(f"{item.specimen}, {Path(item.path).name}: not converted: {error}")
            continue
        if item.role == "lesion":
            place = dict(zip(("x_mm", "y_mm", "z_mm", "diameter_mm"), item.place, strict=False))
            rounded = {name: round(value, 2) for name, value in place.items()}
            number = item.lesion or str(len(lesions) + 1)
            row_of = {"lesion_id": number, "label": item.label, "mask": mask, "segment": item.segment}
            lesions.append(ids | row_of | rounded)
        elif mask:
            row[item.role] = mask
    return row, lesions, notes


def _mask(item: Item, *, folder: Path) -> str:
    """The path of a mask in the cohort; converted where it is single slices."""
    if not item.slices_of:
        return f"{DATA}/{item.path}"
    base = folder / DATA
    if item.polygons:
        name = f"{MASKS}/{item.specimen}_{item.role}.png"
        return polygon_mask(base / item.path, base / item.slices_of, path=folder / name).relative_to(folder).as_posix()
    marked, geometry = mask_of_slices(base / item.path, base / item.slices_of, values=item.values)
    name = f"{MASKS}/{item.specimen}_{item.role}{item.lesion and f'_{item.lesion}'}.nii.gz"
    write_nifti(folder / name, values=marked, geometry=geometry)
    return name


def _with_table(patients: pd.DataFrame, table: Table, *, download: Path) -> tuple[pd.DataFrame, str]:
    """Those of the patients whose outcomes a table of the set has, in months, and what to know of the others."""
    found = [path for path in sorted(download.rglob("*.csv")) if re.fullmatch(table.file, path.name)]
    if len(found) != 1:
        return patients, (
            f"no outcomes: got {len(found)} tables named like {table.file}, wanted one; save the set's workbook as CSV"
            " UTF-8 beside the images and begin again in a new folder"
        )
    timed = [each[key] for each in table.endpoints.values() for key in ("time", "event")]
    faults = Faults()
    read = read_table(found[0], faults, wanted=[table.patient], unique=[table.patient])
    if read is None:
        raise CohortError(f"{download}: {faults}")
    for name in [*table.columns.values(), *timed]:
        if name not in read.columns:
            faults.add(found[0].name, f"has no column {name}; {did_you_mean(name, read.columns)}")
    faults.raise_if_any(download)
    own = read.set_index(table.patient).reindex(patients["patient_id"])
    own = own[(own[timed].notna() & (own[timed] != "")).all(axis=1)]
    added = {name: own[column] for name, column in table.columns.items()}
    for name, keys in table.endpoints.items():
        months = pd.to_numeric(own[keys["time"]], errors="coerce") * UNITS[keys["unit"]]
        added |= {f"{name}_months": months.round(3), f"{name}_event": own[keys["event"]]}
    lost = len(patients) - len(own)
    return pd.DataFrame(added).reset_index(), f"{lost} patients without outcomes are left out" if lost else ""


def _write(
    folder: Path, layout: Layout, *, patients: pd.DataFrame, specimens: pd.DataFrame, lesions: pd.DataFrame
) -> None:
    endpoints: dict[str, Any] = {"outlines": {"mask": "mask"}} if "mask" in specimens else {}
    for name in layout.table.endpoints if layout.table else ():
        if f"{name}_months" in patients:
            endpoints[name] = {"time": f"{name}_months", "event": f"{name}_event"}
    if layout.endpoint:
        classes = [each for each in dict.fromkeys(layout.outcomes.values()) if each in set(patients[layout.endpoint])]
        own: dict[str, Any] = {"label": layout.endpoint}
        endpoints[layout.endpoint] = own if {*classes} <= {"0", "1"} else own | {"classes": classes, "ordered": False}
    if layout.classes:
        there = set(lesions["label"])
        classes = [each for each in dict.fromkeys(layout.classes.values()) if each in there]
        endpoints["lesion_type"] = {"lesion": "label", "classes": classes}
    known = ("patient_id", "specimen_id", "modality", "path", "phase", *ATTACHMENTS)
    head = {
        "name": layout.name,
        "hospital": layout.title,
        "notes": f"Licence: {layout.licence}. Cite: {layout.cite}. Made by hepatica init --layout {layout.name}.",
        "attachments": [name for name in specimens.columns if name not in known],
        "endpoints": endpoints,
    }
    for name, table in (("patients", patients), ("specimens", specimens), ("lesions", lesions)):
        if len(table.columns):
            write_table(folder / f"{name}.csv", table)
    write_text(folder / "cohort.toml", tomli_w.dumps(head))

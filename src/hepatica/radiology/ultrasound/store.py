"""Store: views of many ultrasound studies, cut once from masked images, so that nothing printed on them is kept."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from hepatica.cohort import Specimen
from hepatica.cohort.array_store import ArrayStore, prepare_files, write_arrays
from hepatica.cohort.digests import content_digest
from hepatica.cohort.errors import reading
from hepatica.cohort.preparation import Ledger, specimen_key
from hepatica.radiology.dicom.nifti import read_nifti
from hepatica.radiology.dicom.scans import SUFFIXES
from hepatica.radiology.lesions.marks import MASK
from hepatica.radiology.ultrasound.clips import Clip, find_clips
from hepatica.radiology.ultrasound.elastogram import KPA_MAX
from hepatica.radiology.ultrasound.measures import measured
from hepatica.radiology.ultrasound.views import Viewing, views

SCHEMA = 2
"""Version of the files; raised whenever the same settings would give other views."""


@dataclass(frozen=True, kw_only=True, eq=False)
class UltrasoundStore(ArrayStore):
    """Views as one numbered sequence, which `hepatica.learn` reads as its inputs.

    `index`: one row a view: patient_id, specimen_id, place (within its file), image (from 1), x_mm, y_mm (its centre
    from the image's upper left corner), lesion (share of it that a mask calls lesion, missing without mask); of an
    elastogram kpa (median) and quality (share of its box that can be read), of a cine duration_s.
    `specimens`: one row a study: patient_id, specimen_id, key (its content), images, kinds, machine, probe, notes, and
    `measures.measured`.
    `failures`: one row a study that gave no view: patient_id, specimen_id, row (of specimens.csv), error.
    """

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Views of these rows: (b y x c) uint8, or (b t y x c) of cines."""
        return self.arrays("views", indices)


def prepare(specimens: Sequence[Specimen], *, viewing: Viewing, folder: Path, progress: bool = True) -> UltrasoundStore:
    """Cut the views of every study, once: what is in `folder` from the same content and settings is not read again.

    A study that cannot be used goes, with the reason, into the ledger (`folder`/ledger) and into `failures`. May be
    killed at any moment and started again. Raises SpecimenError when no study gives a view, UnavailableError when the
    folder cannot be written (disk full).
    """
    keys = {each: _key(each, viewing=viewing) for each in specimens}

    def write(path: Path, specimen: Specimen) -> None:
        _write(path, specimen, viewing=viewing)

    found, failures = prepare_files(
        keys,
        write,
        ledger=Ledger(folder / "ledger"),
        label="Reading ultrasound",
        wanted="studies gave a view",
        progress=progress,
    )
    tables = []
    for who, about in found:
        table = pd.DataFrame(about["index"])
        names = {name: who[name] for name in ("patient_id", "specimen_id")}
        tables.append(table.assign(place=table.index, **names).astype({"lesion": float}))
    index = pd.concat(tables, ignore_index=True)
    first = ["patient_id", "specimen_id", "place"]
    return UltrasoundStore(
        folder=folder,
        index=index[[*first, *index.columns.drop(first)]],
        specimens=pd.DataFrame([who | about["study"] for who, about in found]),
        failures=failures,
    )


def _key(specimen: Specimen, *, viewing: Viewing) -> str:
    mask = specimen.attachments.get(MASK)
    about = {"schema": SCHEMA, "viewing": asdict(viewing), "kpa_max": specimen.extra.get(KPA_MAX, "")}
    about |= {"mask": mask and content_digest(mask).hex()}
    return specimen_key(specimen, settings=about)


def _write(path: Path, specimen: Specimen, *, viewing: Viewing) -> None:
    clips = [each.read() for each in find_clips(specimen.path)]
    stated = specimen.extra.get(KPA_MAX)
    found = views(clips, _masks(specimen), viewing=viewing, kpa_max=float(stated) if stated else None)
    about = {"index": [each.row for each in found], "study": _described(clips)}
    write_arrays(path, {"views": np.stack([each.values for each in found])}, about=about)


def _masks(specimen: Specimen) -> np.ndarray | None:
    """The mask of a specimen, (image y x) uint8: a NIfTI with a plane for each of its images, or a picture of one."""
    path = specimen.attachments.get(MASK)
    if path is None:
        return None
    with reading("the mask"):
        if path.suffix.lower() in SUFFIXES:
            with Image.open(path) as image:
                return np.asarray(image.convert("L"))[None]
        values, _ = read_nifti(path)
        return np.asarray(values, np.uint8)


def _described(clips: Sequence[Clip]) -> dict[str, Any]:
    """What is kept of one study."""
    first = next((each for each in clips if each.kind == "b-mode"), clips[0])
    dataset = first.file.dataset
    unknown = "pixel size not stated: a usual depth is assumed; " if first.mm is None else ""
    return {
        "images": len(clips),
        "kinds": ", ".join(sorted({each.kind for each in clips})),
        "machine": str(dataset.get("ManufacturerModelName") or "") if dataset is not None else "",
        "probe": str(dataset.get("TransducerData") or "") if dataset is not None else "",
        "notes": f"{unknown}{1 - first.seen.mean():.0%} of the screen masked",
        **measured(first),
    }

"""Boxes: lesions of LLD-MMRI, whose annotation names each phase's file and the box around each lesion in its voxels."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.layouts.layout import Item, Layout

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

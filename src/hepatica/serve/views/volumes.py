"""Volumes: the series of a CT or MR study as NIfTI for the viewer, with segmentations and saliency on their voxels."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from hepatica.cohort.atomic import replacing
from hepatica.cohort.specimens import Specimen
from hepatica.radiology.dicom.header import Kind
from hepatica.radiology.dicom.nifti import nifti_bytes
from hepatica.radiology.dicom.scans import Scan, find_scans
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.masks.mask import outlined, read_mask
from hepatica.radiology.phase.together import SERIES
from hepatica.radiology.results.read_map import images_of, read_map
from hepatica.serve.refusals import NotFoundError

PACKED = 1
"""Level of compression (ours): a series of 100 MB takes 2 s, and 10 s at the usual one."""

SALIENCY, REGIONS, FLAGGED = "saliency", "segmentation", "flagged region"


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """What is laid over a series: a file of the results, and whether it is a map of 0 to 1 or of labels."""

    name: str
    file: Path


def series_of(specimen: Specimen) -> tuple[Scan, ...]:
    """The series of a study that are read, in the order in which the results count them from 1."""
    kind = cast(Kind, specimen.modality)
    return find_scans(specimen.path, wanted=specimen.extra.get(SERIES, ""), kind=kind).scans


def described(specimen: Specimen, *, result: Path) -> list[dict[str, Any]]:
    """Of each series: its number, slices, spacing in mm (z y x) and the names of its overlays."""
    rows = []
    for number, scan in enumerate(series_of(specimen), start=1):
        about = f"series {number}" + (f", {scan.phase}" if scan.phase else "")
        rows.append(
            {"number": number, "name": about, "overlays": [each.name for each in overlays(scan, specimen, result)]}
        )
    return rows


def overlays(scan: Scan, specimen: Specimen, result: Path) -> list[Overlay]:
    """What the model's results have of a series: saliency and flagged region, or segmentation."""
    return [*_delivered(scan, result / f"specimen_{specimen.row:04d}_dicom"), *_masks(specimen, result)]


def _delivered(scan: Scan, folder: Path) -> Iterator[Overlay]:
    own = set() if scan.series is None else {each.instance for each in scan.series.headers}
    for pattern, name in (("saliency_map_*.dcm", SALIENCY), ("seg_*.dcm", REGIONS)):
        for path in sorted(folder.glob(pattern)) if own else ():
            if images_of(path) & own:
                flagged = name == REGIONS and any(folder.glob("saliency_map_*.dcm"))
                yield Overlay(name=FLAGGED if flagged else name, file=path)


def _masks(specimen: Specimen, result: Path) -> Iterator[Overlay]:
    """Masks that a network drew, where there is no DICOM of them: of a NIfTI file."""
    if (result / f"specimen_{specimen.row:04d}_dicom" / "seg_1.dcm").exists():
        return
    table = pd.read_csv(result / "predictions.csv", dtype=str)
    own = table[table["specimen_id"] == specimen.specimen_id]["path"].dropna().unique()
    yield from (Overlay(name=REGIONS, file=result / name) for name in own if str(name).endswith(".nii.gz"))


def written(specimen: Specimen, *, number: int, overlay: str, result: Path, into: Path) -> Path:
    """The NIfTI file of a series, or of one of its overlays, made once; NotFoundError where there is no such one."""
    if overlay not in ("", SALIENCY, REGIONS, FLAGGED):  # it becomes a name of a file
        raise NotFoundError(f"got an unknown overlay, wanted {SALIENCY}, {REGIONS} or {FLAGGED}")
    path = into / f"specimen_{specimen.row:04d}_series_{number}{'_' * bool(overlay)}{overlay.replace(' ', '_')}.nii.gz"
    if path.exists():
        return path
    every = series_of(specimen)
    if not 1 <= number <= len(every):
        raise NotFoundError(f"got series {number}, wanted 1 to {len(every)}")
    scan = every[number - 1]
    volume = scan.read(regular=False)
    values = _shown(volume) if not overlay else _laid(overlay, overlays(scan, specimen, result), volume)
    with replacing(path) as temporary:
        content = nifti_bytes(values, volume.geometry, packed=False)
        temporary.write_bytes(gzip.compress(content, compresslevel=PACKED, mtime=0))
    return path


def _shown(volume: Volume) -> np.ndarray:
    """(z y x) int16 where the units are whole numbers, else float32."""
    if volume.units in ("HU", "grey"):
        return np.asarray(np.rint(np.clip(volume.values, -2000, 32000)), np.int16)
    return volume.values.astype(np.float32)


def _laid(name: str, there: list[Overlay], volume: Volume) -> np.ndarray:
    """(z y x): saliency as hundredths, uint8; labels 1 liver and 2 lesion, or 1 for a flagged region."""
    found = next((each for each in there if each.name == name), None)
    if found is None:
        raise NotFoundError(f"the series has no {name}; the results have {', '.join(each.name for each in there)}")
    if name == SALIENCY:
        return np.asarray(np.rint(100 * read_map(found.file, geometry=volume.geometry)), np.uint8)
    if name == FLAGGED:
        return read_mask(found.file, geometry=volume.geometry).astype(np.uint8)
    return outlined(found.file, geometry=volume.geometry)

"""Slices: the axial slices of CT studies, read once, kept in Hounsfield units and windowed when asked for."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from einops import repeat

from hepatica.cohort.array_store import ArrayStore, prepare_files, write_arrays
from hepatica.cohort.digests import content_digest
from hepatica.cohort.errors import SpecimenError, UnavailableError
from hepatica.cohort.preparation import Ledger, specimen_key
from hepatica.cohort.specimens import Specimen
from hepatica.radiology.dicom.scans import Scan, find_scans
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.liver.liver import LiverExtent, find_liver, liver_extent
from hepatica.radiology.masks.mask import read_mask
from hepatica.radiology.phase.phase import Phase, contrast_phase
from hepatica.radiology.phase.together import SERIES
from hepatica.radiology.slicing import Slicing, Window, resized

SCHEMA = 2
"""Version of the slice files; raised whenever the same settings would give other slices."""

_WORKERS = 2  # ours: series at once


@dataclass(frozen=True, kw_only=True, eq=False)
class SliceStore(ArrayStore):
    """Axial slices of many studies as one numbered sequence, which `hepatica.learn` reads as its inputs.

    `index`: one row a slice: patient_id, specimen_id, place (within its file), series (from 1), slice (within the
    volume, from the feet, from 0), z_mm (DICOM patient axis), phase, and nodule: 1 where an expert saw one, 0 where
    not, missing where no expert looked.
    `specimens`: one row a study: patient_id, specimen_id, key (its content), slices, series, phases, units, liver
    (what its extent is from), slice_mm, pixel_mm, notes (corrections and rejections).
    `failures`: one row a study that gave no slice: patient_id, specimen_id, row (of specimens.csv), error.
    """

    side: int
    window: Window

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Slices of these rows of `index`, windowed, grey in three equal channels: (b side side 3) uint8."""
        values = self.stored(indices)
        units = self.specimens.set_index("specimen_id")["units"]
        in_units = (units.loc[self.index["specimen_id"].iloc[indices]] == "HU").to_numpy()
        grey = np.where(in_units[:, None, None], self.window.grey(values), values).astype(np.uint8)
        return repeat(grey, "b y x -> b y x 3")

    def stored(self, indices: np.ndarray) -> np.ndarray:
        """Slices of these rows of `index` as they are kept, HU or grey levels: (b side side)."""
        return self.arrays("slices", indices)

    def nodules(self, indices: np.ndarray) -> np.ndarray:
        """Experts' nodules on these slices, (b side side) bool; UnavailableError for a slice no expert looked at."""
        if len(indices) == 0:
            return np.zeros((0, self.side, self.side), bool)
        if not self.has("nodules", indices):
            raise UnavailableError("no expert marked the nodules of this study; give it a nodule_mask")
        return self.arrays("nodules", indices).astype(bool)


def prepare(
    specimens: Sequence[Specimen], *, slicing: Slicing, window: Window, folder: Path, progress: bool = True
) -> SliceStore:
    """Read every study, once: what is already in `folder` from the same content and settings is not read again.

    The axial CT series that `selection` chooses, or the column SERIES names, are used, each from the lowest to the
    highest slice of the liver (`liver_extent`). A study that cannot be used goes, with the reason, into the ledger
    (`folder`/ledger) and into `failures`; such a series goes into the ledger. May be killed at any moment and started
    again, one run at a time to a folder. Raises SpecimenError when no study gives a slice, UnavailableError when the
    folder cannot be written (disk full).
    """
    keys = {each: _key(each, slicing=slicing) for each in specimens}
    ledger = Ledger(folder / "ledger")

    def write(path: Path, specimen: Specimen) -> None:
        _write(path, specimen, slicing=slicing, ledger=ledger)

    found, failures = prepare_files(
        keys, write, ledger=ledger, label="Reading CT", wanted="studies gave a slice", progress=progress
    )
    index, studies = _gathered(found)
    return SliceStore(
        folder=folder, side=slicing.side, window=window, index=index, specimens=studies, failures=failures
    )


def _key(specimen: Specimen, *, slicing: Slicing) -> str:
    given = [specimen.attachments.get(name) for name in ("liver_mask", "nodule_mask")]
    masks = [None if mask is None else content_digest(mask).hex() for mask in given]
    about = {"schema": SCHEMA, "slicing": asdict(slicing), "masks": masks, "series": specimen.extra.get(SERIES, "")}
    return specimen_key(specimen, settings=about)


def _write(path: Path, specimen: Specimen, *, slicing: Slicing, ledger: Ledger) -> None:
    found = find_scans(specimen.path, wanted=specimen.extra.get(SERIES, ""))
    for refused in found.refused:
        with ledger.entry(refused.key, row=specimen.row):
            raise SpecimenError(f"{refused.files} files: {refused.reason}")

    def read(number: int, scan: Scan) -> list[_Part]:
        part: list[_Part] = []  # stays empty where the ledger takes the fault
        with ledger.entry(scan.key, row=specimen.row):
            part.append(_sliced(scan, specimen, number=number, slicing=slicing))
        return part

    with ThreadPoolExecutor(_WORKERS) as pool:
        parts = [
            each for read_part in pool.map(read, range(1, len(found.scans) + 1), found.scans) for each in read_part
        ]
    keys = [*(each.key for each in found.refused), *(each.key for each in found.scans)]
    recorded = [ledger.error(key) for key in keys]
    faults = list(dict.fromkeys(each.removeprefix("SpecimenError: ") for each in recorded if each))
    if not parts:
        raise SpecimenError(f"none of {len(found.scans)} series can be read: {'; '.join(faults)}")
    about = {
        "index": {name: [row for part in parts for row in part.index[name]] for name in parts[0].index},
        "series": [part.series for part in parts],
        "refused": faults,
    }
    arrays = {"slices": np.concatenate([part.slices for part in parts])}
    if "nodule_mask" in specimen.attachments:
        arrays["nodules"] = np.concatenate([part.nodules for part in parts]).astype(np.uint8)
    write_arrays(path, arrays, about=about)


@dataclass(frozen=True, kw_only=True)
class _Part:
    """What one series gives: columns of the index, slices (n side side) int16, experts' nodules, and its facts."""

    index: dict[str, list[Any]]
    slices: np.ndarray
    nodules: np.ndarray
    series: dict[str, Any]


def _sliced(scan: Scan, specimen: Specimen, *, number: int, slicing: Slicing) -> _Part:
    volume = scan.read(regular=False)
    liver = find_liver(volume)
    extent = liver_extent(volume, mask=specimen.attachments.get("liver_mask"), liver=liver)
    if extent.source == "all" and volume.units == "HU":
        raise SpecimenError(
            f"not assessable: {extent.notes[0].split(';')[0]} in this series; leave it out, or give its liver_mask"
        )
    phase = contrast_phase(liver, series=scan.series)
    if scan.phase:
        phase = Phase(name=cast(Any, scan.phase), confidence=1.0, source="tags", notes=("phase from the file's name",))
    chosen = slicing.choose(_read_of(volume, extent))
    nodules = _nodules(volume, specimen)[chosen]
    seen = (
        nodules.any(axis=(1, 2)).astype(float)
        if "nodule_mask" in specimen.attachments
        else np.full(len(chosen), np.nan)
    )
    small = [resized(volume.values[k], side=slicing.side, units=volume.units) for k in chosen]
    marked = [resized(255.0 * each, side=slicing.side, units="grey") > 127 for each in nodules]
    count = len(chosen)
    return _Part(
        index={
            "series": [number] * count,
            "slice": chosen.tolist(),
            "z_mm": volume.heights[chosen].round(3).tolist(),
            "phase": [phase.name] * count,
            "nodule": [None if np.isnan(each) else each for each in seen],
        },
        slices=np.stack(small),
        nodules=np.stack(marked),
        series={"number": number, **_described(volume, extent=extent, phase=phase)},
    )


def _described(volume: Volume, *, extent: LiverExtent, phase: Phase) -> dict[str, Any]:
    """What is kept of one series."""
    return {
        "units": volume.units,
        "liver": extent.source,
        "liver_confidence": extent.confidence,
        "phase": phase.name,
        "phase_source": phase.source,
        "phase_confidence": phase.confidence,
        "slice_mm": volume.geometry.spacing[0],
        "pixel_mm": volume.geometry.spacing[1],
        "notes": [*volume.notes, *extent.notes, *phase.notes],
    }


def _read_of(volume: Volume, extent: LiverExtent) -> np.ndarray:
    """The liver's slices that are in the files, not interpolated."""
    inside = np.arange(extent.first, extent.last + 1)
    if not volume.measured[inside].any():
        raise SpecimenError("all slices of the liver are missing or damaged in this series; send the whole series")
    return np.asarray(inside[volume.measured[inside]])


def _nodules(volume: Volume, specimen: Specimen) -> np.ndarray:
    """Where an expert saw a nodule, (z y x); nowhere when none looked."""
    if "nodule_mask" not in specimen.attachments:
        return np.zeros(volume.values.shape, bool)
    return read_mask(specimen.attachments["nodule_mask"], geometry=volume.geometry)


def _gathered(found: Sequence[tuple[dict[str, Any], Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of slices and of studies."""
    tables, studies = [], []
    for who, about in found:
        table = pd.DataFrame(about["index"])
        names = pd.DataFrame({name: who[name] for name in ("patient_id", "specimen_id")}, index=table.index)
        tables.append(names.assign(place=table.index, **table.astype({"nodule": float})))
        studies.append(who | {"slices": len(table)} | _facts(about))
    return pd.concat(tables, ignore_index=True), pd.DataFrame(studies)


def _facts(about: Mapping[str, Any]) -> dict[str, Any]:
    """The series of a study in one row; words of several series are joined, numbers are the median."""
    series = pd.DataFrame(about["series"])
    notes = list(dict.fromkeys(note for each in series["notes"] for note in each))
    return {
        "series": len(series),
        "phases": ", ".join(series["phase"]),
        "units": series["units"].iloc[0],
        "liver": ", ".join(series["liver"].unique()),
        "slice_mm": float(series["slice_mm"].median()),
        "pixel_mm": float(series["pixel_mm"].median()),
        "notes": "; ".join([*notes, *about["refused"]]),
    }

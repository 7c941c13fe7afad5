"""Slices: the axial slices of CT studies, read once, kept in Hounsfield units and windowed when asked for."""

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from einops import repeat
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from hepatica.cohort.atomic import replacing
from hepatica.cohort.digests import content_digest
from hepatica.cohort.errors import SpecimenError, UnavailableError
from hepatica.cohort.ledger import Ledger
from hepatica.cohort.preparation import gather, prepare_each, selected, specimen_key
from hepatica.cohort.specimens import Specimen
from hepatica.radiology.dicom.scans import Scan, find_scans
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.liver.liver import LiverExtent, find_liver, liver_extent
from hepatica.radiology.masks.mask import read_mask
from hepatica.radiology.phase.phase import Phase, contrast_phase
from hepatica.radiology.slicing import Slicing, Window, resized

SCHEMA = 2
"""Version of the slice files; raised whenever the same settings would give other slices."""

SERIES = "series"
"""Column of specimens.csv that names the series of a study to read, by number or UID, or "all"; blank: chosen."""

_WORKERS = 2  # ours: studies at once; compressed slices are decoded on all cores anyway, and a study may take 1 GB


@dataclass(frozen=True, kw_only=True, eq=False)
class SliceStore:
    """Axial slices of many studies as one numbered sequence, which `hepatica.learn` reads as its inputs.

    `index`: one row a slice: patient_id, specimen_id, place (within its file), series (from 1), slice (within the
    volume, from the feet, from 0), z_mm (DICOM patient axis), phase, and nodule: 1 where an expert saw one, 0 where
    not, missing where no expert looked.
    `specimens`: one row a study: patient_id, specimen_id, key (its content), slices, series, phases, units, liver
    (what its extent is from), slice_mm, pixel_mm, notes (corrections and rejections).
    `failures`: one row a study that gave no slice: patient_id, specimen_id, row (of specimens.csv), error.
    """

    folder: Path
    side: int
    window: Window
    index: pd.DataFrame
    specimens: pd.DataFrame
    failures: pd.DataFrame
    _open: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.index)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_open": {}}  # open files do not travel to another process

    @cached_property
    def _places(self) -> list[tuple[str, int, bool]]:
        table = self.specimens.set_index("specimen_id").loc[self.index["specimen_id"]]
        places = self.index["place"].tolist()
        return list(zip(table["key"], places, table["units"] == "HU", strict=True))

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Slices of these rows of `index`, windowed, grey in three equal channels: (b side side 3) uint8."""
        grey = np.empty((len(indices), self.side, self.side), np.uint8)
        for image, number in zip(grey, indices, strict=True):
            key, place, in_units = self._places[number]
            values = self._file(key).get_slice("slices")[place]
            image[:] = self.window.grey(values) if in_units else values
        return repeat(grey, "b y x -> b y x 3")

    def stored(self, indices: np.ndarray) -> np.ndarray:
        """Slices of these rows of `index` as they are kept, HU or grey levels: (b side side)."""
        places = [self._places[number] for number in indices]
        return np.stack([self._file(key).get_slice("slices")[place] for key, place, _ in places])

    def nodules(self, indices: np.ndarray) -> np.ndarray:
        """Experts' nodules on these slices, (b side side) bool; UnavailableError for a slice no expert looked at."""
        marked = np.empty((len(indices), self.side, self.side), bool)
        for image, number in zip(marked, indices, strict=True):
            key, place, _ = self._places[number]
            if "nodules" not in self._file(key).keys():  # noqa: SIM118 - not a dict
                raise UnavailableError("no expert marked the nodules of this study; give it a nodule_mask")
            image[:] = self._file(key).get_slice("nodules")[place]
        return marked

    def select(
        self, *, patient_ids: Iterable[str] | None = None, specimen_ids: Iterable[str] | None = None
    ) -> "SliceStore":
        """The same store with the slices of these patients, or these studies, only; in the store's own order."""
        return selected(self, patient_id=patient_ids, specimen_id=specimen_ids)

    def rows(self, chosen: "pd.Series[bool]") -> "SliceStore":
        """The same store with the rows of `index` where `chosen` is true only."""
        return replace(self, index=self.index[chosen.to_numpy(bool)].reset_index(drop=True))

    def _file(self, key: str) -> Any:
        if key not in self._open:
            opened = _opened(_path(self.folder, key))
            if opened is None:
                raise UnavailableError(f"the slice file {key} has been removed or damaged; prepare the slices again")
            self._open[key] = opened
        return self._open[key]


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
    keys = [_key(each, slicing=slicing) for each in specimens]
    ledger = Ledger(folder / "ledger")
    missing = {key: each for key, each in zip(keys, specimens, strict=True) if _opened(_path(folder, key)) is None}

    def read(key: str, specimen: Specimen) -> None:
        _write(_path(folder, key), specimen, slicing=slicing, ledger=ledger)

    prepare_each(missing, read, ledger=ledger, label="Reading CT", workers=_WORKERS, progress=progress)
    return _gather(
        dict(zip(specimens, keys, strict=True)), ledger=ledger, folder=folder, side=slicing.side, window=window
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
    with replacing(path) as temporary:
        temporary.write_bytes(save(arrays, {"about": json.dumps(about)}))


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


def _gather(keys: Mapping[Specimen, str], *, ledger: Ledger, folder: Path, side: int, window: Window) -> SliceStore:
    found, failures = gather(
        keys, lambda key: _opened(_path(folder, key)), ledger=ledger, wanted="studies gave a slice"
    )
    tables, studies = [], []
    for who, opened in found:
        about = json.loads(opened.metadata()["about"])
        table = pd.DataFrame(about["index"])
        names = pd.DataFrame({name: who[name] for name in ("patient_id", "specimen_id")}, index=table.index)
        tables.append(names.assign(place=table.index, **table.astype({"nodule": float})))
        studies.append(who | {"slices": len(table)} | _facts(about))
    return SliceStore(
        folder=folder,
        side=side,
        window=window,
        index=pd.concat(tables, ignore_index=True),
        specimens=pd.DataFrame(studies),
        failures=failures,
    )


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


def _path(folder: Path, key: str) -> Path:
    return folder / f"{key}.safetensors"


def _opened(path: Path) -> Any:
    """An open slice file; None where there is none, or none that is whole."""
    try:
        return safe_open(path, "numpy")
    except (FileNotFoundError, SafetensorError):
        return None

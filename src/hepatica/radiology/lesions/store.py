"""Store: crops of the lesions of many studies, read once, kept in the units of their volumes, scaled when asked for."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from einops import rearrange

from hepatica.cohort import Specimen
from hepatica.cohort.array_store import ArrayStore, prepare_files, write_arrays
from hepatica.cohort.digests import content_digest
from hepatica.cohort.preparation import Ledger, specimen_key
from hepatica.radiology.dicom.geometry import Geometry, from_lps
from hepatica.radiology.dicom.header import Kind
from hepatica.radiology.lesions.crops import LESION, Cropping, crops
from hepatica.radiology.lesions.marks import find_marks, masks_of, read_marks
from hepatica.radiology.mr.measures import measured
from hepatica.radiology.phase.together import PHASE, SERIES, Absent, Register, StudyPhases, is_phase, read_phases
from hepatica.radiology.slicing import Window

SCHEMA = 1
"""Version of the crop files; raised whenever the same settings would give other crops."""

_HALF = 65504.0  # the largest number of half precision


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What is read of a study: of which kind, which phases (`absent`, `register`: see `together`), and how lesions are
    cut out.
    """

    kind: Kind = "ct"
    phases: tuple[str, ...]
    absent: Absent = "refuse"
    register: Register = "none"
    cropping: Cropping


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How stored values become what a network reads: a window of HU, each phase of a crop by its own range, or by its
    own median around the lesion and its rim, which is mostly liver and becomes a half; such a median is not taken of
    the phases that have a `highest` value, which becomes 1.

    Without `surroundings` all is 0 beyond the lesion and its rim; with `outline` the last phase is the mask, the lesion
    1 and its rim 1/2.
    """

    kind: Literal["window", "crop", "liver"]
    window: Window | None = None
    highest: tuple[float | None, ...] = ()
    surroundings: bool = True
    outline: bool = False

    @property
    def by_mask(self) -> bool:
        """Whether what is marked in a crop matters."""
        return self.kind == "liver" or self.outline or not self.surroundings

    def apply(self, values: np.ndarray, masks: np.ndarray | None = None) -> np.ndarray:
        """Crops (b phase z y x) in the units of the volumes, and `by_mask` what is marked in them (b z y x), to float32
        on 0..1; 0 in a phase that was left empty.
        """
        if masks is None:
            return self._scaled(values)
        scaled = self._by_liver(values, masks) if self.kind == "liver" else self._scaled(values)
        marked = masks[:, np.newaxis]
        if not self.surroundings:
            scaled = scaled * (marked > 0)
        return np.concatenate([scaled, (marked > 0) / np.float32(marked.clip(1))], axis=1) if self.outline else scaled

    def _by_liver(self, values: np.ndarray, masks: np.ndarray) -> np.ndarray:
        known = np.nan_to_num(values)
        levels = [around(crop, mask) for crop, mask in zip(known, masks, strict=True)]
        tops = 2 * np.reshape(levels, known.shape[:2])
        for place, highest in enumerate(self.highest):
            tops[:, place] = highest or tops[:, place]
        return np.asarray((known / np.maximum(tops, 1e-3)[..., None, None, None]).clip(0, 1), np.float32)

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        if self.kind == "window" and self.window is not None:
            return np.asarray(np.nan_to_num(self.window.shades(values)))
        known = np.nan_to_num(values)  # a phase is empty as a whole or not at all
        low = known.min(axis=(-3, -2, -1), keepdims=True)
        high = known.max(axis=(-3, -2, -1), keepdims=True)
        return np.asarray((known - low) / np.maximum(high - low, 1e-6), np.float32)


def around(crop: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(phase,) median of a crop (phase z y x) beyond its lesion and rim; where these fill it, beyond the lesion."""
    for there in (mask == 0, mask != LESION):
        if there.any():
            return np.asarray(np.median(crop[:, there], axis=1))
    return np.asarray(np.median(crop, axis=(1, 2, 3)))


@dataclass(frozen=True, kw_only=True, eq=False)
class LesionStore(ArrayStore):
    """Crops of lesions as one numbered sequence, which `hepatica.learn` reads as its inputs.

    `index`: one row a crop: patient_id, specimen_id, lesion_id, label (of lesions.csv), diameter_mm, volume_ml, place
    (within its file), x_mm, y_mm, z_mm (the crop's centre, DICOM patient axes), area_mm2 (of the lesion in a slice).
    `specimens`: one row a study: patient_id, specimen_id, key (its content), lesions, phases, series (keys), units,
    notes; of MR also `mr.measures`.
    `failures`: one row a study that gave no crop: patient_id, specimen_id, row (of specimens.csv), error.
    """

    scale: Scale

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Crops of these rows, scaled to 0..1, phases as channels: (b y x phase) float32 of single slices, else
        (b z y x phase).
        """
        values = self.scale.apply(self.stored(indices), self.masks(indices) if self.scale.by_mask else None)
        if values.shape[2] == 1:
            return rearrange(values, "b c 1 y x -> b y x c")
        return rearrange(values, "b c z y x -> b z y x c")

    def stored(self, indices: np.ndarray) -> np.ndarray:
        """Crops as they are kept, in the units of their volumes, NaN where a phase was left empty: (b phase z y x)."""
        return self.arrays("crops", indices).astype(np.float32)

    def masks(self, indices: np.ndarray) -> np.ndarray:
        """What is marked in these crops, `crops.LESION`, `crops.RIM` or 0: (b z y x) uint8."""
        return self.arrays("masks", indices)

    def geometries(self, indices: np.ndarray) -> list[Geometry]:
        """Where these crops lie."""
        z, y, x = self.masks(indices[:1]).shape[1:]
        return [from_lps(matrix, shape=(z, y, x)) for matrix in self.arrays("lps", indices)]


def prepare(
    specimens: Sequence[Specimen],
    lesions: pd.DataFrame,
    *,
    reading: Reading,
    scale: Scale,
    folder: Path,
    progress: bool = True,
) -> LesionStore:
    """Cut out the lesions of every study, once: what is in `folder` from the same content, rows and settings is not
    read again. They are the rows of lesions.csv; without any, what masks mark that lie with a study.

    A study that cannot be used goes, with the reason, into the ledger (`folder`/ledger) and into `failures`. May be
    killed at any moment and started again. Raises SpecimenError when no study gives a crop, UnavailableError when the
    folder cannot be written (disk full).
    """
    own = {each: lesions[lesions["specimen_id"] == each.specimen_id] for each in specimens}
    keys = {each: _key(each, rows, reading=reading, alone=lesions.empty) for each, rows in own.items()}

    def write(path: Path, specimen: Specimen) -> None:
        _write(path, specimen, own[specimen], reading=reading, alone=lesions.empty)

    found, failures = prepare_files(
        keys,
        write,
        ledger=Ledger(folder / "ledger"),
        label="Cutting out lesions",
        wanted="studies gave a lesion",
        progress=progress,
    )
    index, studies = _gathered(found, lesions)
    return LesionStore(folder=folder, scale=scale, index=index, specimens=studies, failures=failures)


_ROW = ("lesion_id", "segment", "x_mm", "y_mm", "z_mm", "diameter_mm", PHASE)


def _key(specimen: Specimen, lesions: pd.DataFrame, *, reading: Reading, alone: bool) -> str:
    masks = [content_digest(each).hex() for each in masks_of(specimen, lesions)]
    others = {name: content_digest(path).hex() for name, path in specimen.attachments.items() if is_phase(name)}
    rows = lesions.reindex(columns=list(_ROW)).astype(str).to_numpy().tolist()
    about = {
        "schema": SCHEMA,
        "alone": alone,
        "reading": asdict(reading),
        "rows": rows,
        "masks": masks,
        "others": others,
    }
    named = {name: specimen.extra.get(name, "") for name in (SERIES, PHASE)}
    return specimen_key(specimen, settings=about | named)


def _write(path: Path, specimen: Specimen, lesions: pd.DataFrame, *, reading: Reading, alone: bool) -> None:
    drawn = lesions.reindex(columns=[PHASE])[PHASE].dropna().astype(str)
    phases = read_phases(
        specimen,
        kind=reading.kind,
        wanted=reading.phases,
        absent=reading.absent,
        register=reading.register,
        reference=next(iter(drawn), None),
    )
    geometry = phases.volumes[phases.reference].geometry
    if alone:
        marks, notes = find_marks(specimen, geometry=geometry)
    else:
        marks, notes = read_marks(specimen, lesions, geometry=geometry)
    rows, found = [], []
    for mark in marks:
        for crop in crops(mark, phases, cropping=reading.cropping, wanted=reading.phases):
            found.append(crop)
            rows.append(
                {"lesion_id": mark.lesion_id, "diameter_mm": mark.diameter_mm, "volume_ml": mark.volume_ml}
                | dict(zip(("x_mm", "y_mm", "z_mm"), crop.centre.round(2).tolist(), strict=True))
                | {"area_mm2": crop.area_mm2}
            )
    arrays = {
        "crops": np.stack([each.values for each in found]).clip(-_HALF, _HALF).astype(np.float16),
        "masks": np.stack([each.mask for each in found]),
        "lps": np.stack([each.geometry.lps for each in found]),
    }
    about = {"index": rows, "study": _described(replace(phases, notes=(*phases.notes, *notes)))}
    write_arrays(path, arrays, about=about)


def _described(phases: StudyPhases) -> dict[str, Any]:
    """What is kept of one study."""
    reference = phases.volumes[phases.reference]
    return (measured(reference) if reference.units == "signal" else {}) | {
        "phases": ", ".join(phases.found.values()),
        "series": " ".join(phases.keys),
        "units": reference.units,
        "slice_mm": reference.geometry.spacing[0],
        "pixel_mm": reference.geometry.spacing[1],
        "notes": "; ".join(phases.notes),
    }


def _gathered(found: Sequence[tuple[dict[str, Any], Any]], lesions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of crops and of studies."""
    tables, studies = [], []
    for who, about in found:
        table = pd.DataFrame(about["index"])
        names = {name: who[name] for name in ("patient_id", "specimen_id")}
        tables.append(table.assign(place=table.index, **names).astype({"area_mm2": float}))
        studies.append(who | {"lesions": table["lesion_id"].nunique()} | about["study"])
    labels = lesions[["specimen_id", "lesion_id", "label"]]
    index = pd.concat(tables, ignore_index=True).merge(labels, on=["specimen_id", "lesion_id"], how="left")
    first = ["patient_id", "specimen_id", "lesion_id", "label"]
    return index[[*first, *index.columns.drop(first)]], pd.DataFrame(studies)

"""Store: volumes of many studies and what is outlined in them, read once, handed out slab by slab."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from einops import rearrange

from hepatica.cohort import Specimen
from hepatica.cohort.array_store import ArrayStore, prepare_files, write_arrays
from hepatica.cohort.digests import content_digest
from hepatica.cohort.preparation import Ledger, specimen_key
from hepatica.radiology.dicom.geometry import Geometry, from_lps
from hepatica.radiology.dicom.header import Kind
from hepatica.radiology.dicom.scans import find_scans
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.lesions.crops import sampled
from hepatica.radiology.lesions.marks import MASK
from hepatica.radiology.masks.mask import LABELS, outlined
from hepatica.radiology.mr.adc import normalised
from hepatica.radiology.mr.measures import measured
from hepatica.radiology.phase.together import PHASE, SERIES, read_phases

SCHEMA = 1
"""Version of the volume files; raised whenever the same settings would give other volumes."""

_CENTRES = 4000  # ours: voxels of each class that are kept to draw patches around
_SIGNAL = 1000.0  # ours: MR signal is kept as whole thousandths of its scale


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What is read of a study: of which kind, the `phase` of those it has (the nearest where it is absent), voxels of
    `voxel_mm` (z y x; None: as scanned), and the column of specimens.csv that names the outlines.
    """

    kind: Kind = "ct"
    phase: str = "portal venous"
    voxel_mm: tuple[float, float, float] | None = None
    column: str = MASK


@dataclass(frozen=True, kw_only=True, eq=False)
class VolumeStore(ArrayStore):
    """Volumes as numbered slices, which a network reads with what is above and below them.

    `index`: one row a slice: patient_id, specimen_id, place (from the feet, from 0), z_mm.
    `specimens`: one row a study: patient_id, specimen_id, key (its content), slices, series (key), phase, units,
    outlined, slice_mm, pixel_mm, notes; of MR also `mr.measures`.
    `failures`: one row a study that could not be read: patient_id, specimen_id, row (of specimens.csv), error.
    `black_white` become 0 and 1; `depth` slices are read at once, as a solid where `solid`, else as channels.
    """

    black_white: tuple[float, float]
    depth: int = 1
    solid: bool = False

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Slices of these rows of `index`, of studies of one size, with those around them, on 0..1, float32: (b y x z),
        or solid (b z y x 1).
        """
        rows = self.index.iloc[indices if len(indices) or not len(self) else [0]]
        slabs = [
            self.slab(str(name), int(place) - self.depth // 2, int(place) - self.depth // 2 + self.depth)
            for name, place in zip(rows["specimen_id"], rows["place"], strict=True)
        ]
        found = np.stack(slabs)[: len(indices)]
        return rearrange(found, "b z y x -> b z y x 1" if self.solid else "b z y x -> b y x z")

    def stored(self, indices: np.ndarray) -> np.ndarray:
        """Slices as they are kept, HU or thousandths of the scale of signal, of studies of one size: (b y x) int16."""
        return self.arrays("volume", indices)

    def slab(
        self, specimen_id: str, first: int, end: int, *, within: tuple[slice, slice] = (slice(None), slice(None))
    ) -> np.ndarray:
        """Slices `first` to `end` - 1 of a study on 0..1, (z y x) float32, of these rows and columns; beyond its ends
        the last one is repeated.
        """
        stored = self.part(specimen_id, "volume")
        count = stored.get_shape()[0]
        low, high = (int(each) for each in (np.clip(first, 0, count - 1), np.clip(end, 1, count)))
        places = np.clip(np.arange(first, end), low, high - 1) - low
        rows, columns = (slice(*each.indices(n)[:2]) for each, n in zip(within, stored.get_shape()[1:], strict=True))
        return self.shades(stored[low:high, rows, columns][places])

    def shades(self, values: np.ndarray) -> np.ndarray:
        """Stored values of any shape to float32 on 0..1."""
        black, white = self.black_white
        scaled = (values.astype(np.float32) - np.float32(black)) / np.float32(white - black)
        return np.asarray(np.clip(scaled, 0, 1))

    def part(self, specimen_id: str, name: str) -> Any:
        """An array of a study's file that is read where it is cut: "volume" (z y x) int16, "mask" (z y x) uint8, and
        `centres_CLASS` (n 3), voxels of a class.
        """
        return self.file(self._keys[specimen_id]).get_slice(name)

    def grid(self, specimen_id: str) -> Geometry:
        """The grid on which a study is kept."""
        z, y, x = self.part(specimen_id, "volume").get_shape()
        return from_lps(self.part(specimen_id, "lps")[:], shape=(z, y, x))

    def own_grid(self, specimen_id: str) -> Geometry:
        """The grid of the scan itself."""
        z, y, x = self.part(specimen_id, "own_shape")[:].tolist()
        return from_lps(self.part(specimen_id, "own_lps")[:], shape=(z, y, x))

    @cached_property
    def _keys(self) -> dict[str, str]:
        return dict(zip(self.specimens["specimen_id"], self.specimens["key"], strict=True))


def prepare(
    specimens: Sequence[Specimen],
    *,
    reading: Reading,
    folder: Path,
    black_white: tuple[float, float],
    depth: int = 1,
    solid: bool = False,
    progress: bool = True,
) -> VolumeStore:
    """Read every study, once: what is in `folder` from the same content and settings is not read again.

    A study that cannot be used goes, with the reason, into the ledger (`folder`/ledger) and into `failures`. May be
    killed at any moment and started again. Raises SpecimenError when no study can be read, UnavailableError when the
    folder cannot be written (disk full).
    """
    keys = {each: _key(each, reading=reading) for each in specimens}

    def write(path: Path, specimen: Specimen) -> None:
        _write(path, specimen, reading=reading)

    ledger = Ledger(folder / "ledger")
    found, failures = prepare_files(
        keys, write, ledger=ledger, label="Reading volumes", wanted="studies gave a volume", progress=progress
    )
    names = ("patient_id", "specimen_id")
    tables = [pd.DataFrame({name: who[name] for name in names} | {"z_mm": about["z_mm"]}) for who, about in found]
    index = pd.concat([each.assign(place=each.index) for each in tables], ignore_index=True)
    return VolumeStore(
        folder=folder,
        black_white=black_white if reading.kind == "ct" else (0.0, _SIGNAL),
        depth=depth,
        solid=solid,
        index=index[[*names, "place", "z_mm"]],
        specimens=pd.DataFrame([who | about["study"] for who, about in found]),
        failures=failures,
    )


def _key(specimen: Specimen, *, reading: Reading) -> str:
    mask = specimen.attachments.get(reading.column)
    about = {
        "schema": SCHEMA,
        "volumes": asdict(reading),
        "mask": mask and content_digest(mask).hex(),
        **{name: specimen.extra.get(name, "") for name in (SERIES, PHASE)},
    }
    return specimen_key(specimen, settings=about)


def _write(path: Path, specimen: Specimen, *, reading: Reading) -> None:
    volume, phase, key = _chosen(specimen, reading)
    grid = volume.geometry if reading.voxel_mm is None else coarser(volume.geometry, reading.voxel_mm)
    values = volume.values if grid is volume.geometry else sampled(volume, grid, of="")
    kept = values if reading.kind == "ct" else values * _SIGNAL
    arrays: dict[str, np.ndarray] = {
        "volume": np.rint(kept).clip(-32768, 32767).astype(np.int16),
        "lps": grid.lps,
        "own_lps": volume.geometry.lps,
        "own_shape": np.array(volume.geometry.shape),
    }
    if mask := specimen.attachments.get(reading.column):
        arrays["mask"] = outlined(mask, geometry=grid)
        rng = np.random.default_rng(int(content_digest(mask).hex()[:8], 16))
        for name, label in LABELS.items():
            places = np.argwhere(arrays["mask"] >= label)
            arrays[f"centres_{name}"] = rng.permutation(places)[:_CENTRES].astype(np.int32)
    study = (measured(volume) if volume.units == "signal" else {}) | {
        "slices": grid.shape[0],
        "series": key,
        "phase": phase,
        "units": volume.units,
        "outlined": mask is not None,
        "slice_mm": volume.geometry.spacing[0],
        "pixel_mm": volume.geometry.spacing[1],
        "notes": "; ".join(volume.notes),
    }
    z_mm = replace(volume, values=values, geometry=grid, off={}).heights.round(3).tolist()
    write_arrays(path, arrays, about={"z_mm": z_mm, "study": study})


def _chosen(specimen: Specimen, reading: Reading) -> tuple[Volume, str, str]:
    """The volume that is read, the phase it is of, and the key of its scan: the only one, or that of the phase."""
    scans = find_scans(specimen.path, wanted=specimen.extra.get(SERIES, ""), kind=reading.kind).scans
    if len(scans) == 1:
        volume = scans[0].read()
        return (normalised(volume) if reading.kind == "mr" else volume), specimen.extra.get(PHASE, ""), scans[0].key
    phases = read_phases(specimen, kind=reading.kind, wanted=(reading.phase,), absent="nearest")
    return phases.volumes[reading.phase], phases.found[reading.phase], phases.keys[0]


def coarser(geometry: Geometry, voxel_mm: tuple[float, float, float]) -> Geometry:
    """The same box in voxels of about `voxel_mm` (z y x), a whole number of them along each axis."""
    old, axes = np.array(geometry.spacing), np.array(geometry.directions)
    z, y, x = (max(1, round(n * s / v)) for n, s, v in zip(geometry.shape, geometry.spacing, voxel_mm, strict=True))
    new = np.array(geometry.shape) * old / (z, y, x)
    left, back, head = (np.array(geometry.origin) + ((new - old) / 2) @ axes).tolist()
    spacing = (float(new[0]), float(new[1]), float(new[2]))
    return Geometry(shape=(z, y, x), spacing=spacing, origin=(left, back, head), directions=geometry.directions)

"""Store: the surroundings of each ablated tumour, before and after, on one grid, read once."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from einops import rearrange
from scipy import ndimage

from hepatica.cohort import Specimen
from hepatica.cohort.array_store import ArrayStore, prepare_files, write_arrays
from hepatica.cohort.digests import content_digest
from hepatica.cohort.errors import SpecimenError, reading
from hepatica.cohort.preparation import Ledger, specimen_key
from hepatica.radiology.ablation.margin import EDGE, refuse
from hepatica.radiology.dicom.geometry import Geometry, from_lps
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.lesions.crops import sampled
from hepatica.radiology.lesions.marks import masks_of, read_marks
from hepatica.radiology.masks.mask import read_mask
from hepatica.radiology.phase.together import SERIES, read_phases
from hepatica.radiology.slicing import Window

AFTER, ZONE, LANDMARKS = "after", "zone", "landmarks"
"""Columns of specimens.csv: the scan after ablation, the outline of the ablation zone on it, and, optional, a CSV file
of the same places in both (`PLACES`)."""

PLACES = tuple(f"{when}_{axis}_mm" for when in ("before", "after") for axis in "xyz")
"""Its columns: mm in DICOM's patient axes (LPS)."""

MOST_PLACES = 16
"""Landmarks of a pair that are used, the first within the crop (ours)."""

SCHEMA = 2
_SMOOTH_MM = 2.5  # ours: outlines, drawn voxel by voxel, are smoothed by one voxel, and by no more than this


@dataclass(frozen=True, kw_only=True)
class PairReading:
    """`phase` that is read of both scans, brought together rigidly first where `rigid`; the grid, `voxels` (z y x) of
    `voxel_mm`, about the middle of the tumour.
    """

    phase: str
    rigid: bool
    voxels: tuple[int, int, int]
    voxel_mm: tuple[float, float, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class PairStore(ArrayStore):
    """Pairs of scans as one numbered sequence, which `hepatica.learn` reads as its inputs.

    `index`: one row a pair: patient_id, specimen_id, lesion_id, diameter_mm, place.
    `specimens`: one row a pair: patient_id, specimen_id, key, phase, series (key of the scan before), units, notes, and
    `rigid_kind`, `rigid_overlap`: what the rigid registration did and the Dice of the livers after it.
    """

    window: Window
    spacing: tuple[float, float, float]

    def read(self, indices: np.ndarray) -> np.ndarray:
        """(b z y x 4) float32: the scan before and that after in 0..1 of the window, both -1 where one of them shows
        nothing; tumour and zone as shares.
        """
        images = np.nan_to_num(self.window.shades(self.arrays("images", indices)), nan=-1)
        both = np.concatenate([images, self.arrays("outlines", indices).astype(np.float32)], axis=1)
        return rearrange(both, "b c z y x -> b z y x c")

    def landmarks(self, indices: np.ndarray) -> np.ndarray:
        """(b MOST_PLACES 7) float32: mm along z, y and x from the first voxel, of the same before and after, and 1
        where there is such a place, else 0.
        """
        return self.arrays(LANDMARKS, indices)

    def geometries(self, indices: np.ndarray) -> list[Geometry]:
        """Where these pairs lie, in the scan before."""
        z, y, x = self.arrays("images", indices[:1]).shape[2:]
        return [from_lps(matrix, shape=(z, y, x)) for matrix in self.arrays("lps", indices)]


def prepare(
    specimens: Sequence[Specimen], lesions: pd.DataFrame, *, how: PairReading, window: Window, folder: Path,
    progress: bool = True,
) -> PairStore:  # fmt: skip
    """Bring both scans of every specimen onto one grid by a rigid registration, once; the tumour is the largest lesion
    of lesions.csv. A pair that cannot be used goes into the ledger and into `failures`. SpecimenError when none can.
    """
    own = {each: lesions[lesions["specimen_id"] == each.specimen_id] for each in specimens}

    def write(path: Path, specimen: Specimen) -> None:
        _write(path, specimen, own[specimen], how=how)

    found, failures = prepare_files(
        {each: _key(each, rows, how=how) for each, rows in own.items()},
        write,
        ledger=Ledger(folder / "ledger"),
        label="Bringing scans together",
        wanted="scans before and after gave a pair",
        progress=progress,
    )
    index = pd.DataFrame([_who(who) | about["lesion"] | {"place": 0} for who, about in found])
    studies = pd.DataFrame([who | about["study"] for who, about in found])
    return PairStore(
        folder=folder, index=index, specimens=studies, failures=failures, window=window, spacing=how.voxel_mm
    )


def _who(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("patient_id", "specimen_id")}


def _key(specimen: Specimen, lesions: pd.DataFrame, *, how: PairReading) -> str:
    files = [
        *masks_of(specimen, lesions),
        *(each for name in (AFTER, ZONE, LANDMARKS) if (each := _file(specimen, name))),
    ]
    rows = lesions.reindex(columns=["lesion_id", "segment", "x_mm", "y_mm", "z_mm", "diameter_mm"]).astype(str)
    about = {"schema": SCHEMA, "how": asdict(how), "rows": rows.to_numpy().tolist()}
    digests = [content_digest(each).hex() for each in files]
    return specimen_key(specimen, settings=about | {"files": digests, SERIES: specimen.extra.get(SERIES, "")})


def _file(specimen: Specimen, column: str) -> Path | None:
    return specimen.attachments.get(column)


def _write(path: Path, specimen: Specimen, lesions: pd.DataFrame, *, how: PairReading) -> None:
    from hepatica.radiology.registration import register, to_grid  # SimpleITK takes long to import

    lost = [name for name in (AFTER, ZONE) if _file(specimen, name) is None]
    if lost:
        raise SpecimenError(f"got no {' and no '.join(lost)}, wanted a file in that column of specimens.csv")
    first = read_phases(specimen, wanted=(how.phase,))
    before = first.volumes[how.phase]
    later = replace(specimen, path=specimen.attachments[AFTER], extra={})
    after = read_phases(later, wanted=(how.phase,)).volumes[how.phase]
    marks, notes = read_marks(specimen, lesions, geometry=before.geometry)
    tumour = max(marks, key=lambda each: each.volume_ml)
    geometry = _grid(tumour.points.mean(axis=0), before.geometry, how=how)
    done = register(after, before, kind="rigid" if how.rigid else "none")
    zone = read_mask(specimen.attachments[ZONE], geometry=after.geometry)
    refuse(zone, what="ablation zone", of="scan after ablation")
    own = _marked(tumour.marked, replace(before, geometry=tumour.geometry), edge=2)
    moved, shown = (
        to_grid(_marked(each, after), before.geometry, transform=done.transform) for each in (zone, np.ones(zone.shape))
    )
    volumes = (before, done.volume, own, moved, _marked(np.ones(before.values.shape), before, edge=2), shown)
    earlier, treated, *outlines, one, other = (sampled(each, geometry, of=tumour.lesion_id) for each in volumes)
    for name, each in zip(("tumour", "ablation zone"), outlines, strict=True):
        refuse(each, what=name)
    images = np.where(np.minimum(one, other) >= EDGE, (earlier, treated), np.nan)
    arrays = {"images": images, "outlines": np.stack(outlines)}
    about = {
        "lesion": {"lesion_id": tumour.lesion_id, "diameter_mm": tumour.diameter_mm},
        "study": {
            "phase": how.phase, "series": " ".join(first.keys), "units": before.units,
            "rigid_kind": done.kind, "rigid_overlap": done.overlap_after,
            "notes": "; ".join(dict.fromkeys((*first.notes, *notes, *done.volume.notes))),
        },
    }  # fmt: skip
    places = _places(_file(specimen, LANDMARKS), geometry, done.transform)
    arrays = {name: each.astype(np.float16) for name, each in arrays.items()}
    write_arrays(path, arrays | {LANDMARKS: places, "lps": geometry.lps[None]} | _one(arrays), about=about)


def _one(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: each[None] for name, each in arrays.items()}


def _grid(middle: np.ndarray, like: Geometry, *, how: PairReading) -> Geometry:
    """The grid about a place (x y z), along the axes of the scan before."""
    axes = np.array(like.directions)
    half = (np.array(how.voxels) - 1) / 2 * how.voxel_mm
    origin = middle - half @ axes
    left, back, head = origin.tolist()
    return Geometry(shape=how.voxels, spacing=how.voxel_mm, origin=(left, back, head), directions=like.directions)


def _marked(marked: np.ndarray, volume: Volume, *, edge: int = 0) -> Volume:
    """Shares of voxels, smoothed, as a volume; with so many more empty voxels at each edge."""
    share = np.pad(marked.astype(np.float32), edge)
    spacing = np.array(volume.geometry.spacing)
    share = ndimage.gaussian_filter(share, np.minimum(1, _SMOOTH_MM / spacing))
    first = volume.geometry.lps @ [*([-edge] * 3), 1]
    geometry = replace(volume.geometry, shape=share.shape, origin=tuple(first[:3].tolist()))
    return replace(volume, values=share, geometry=geometry, units="grey", measured=np.ones(len(share), bool), off={})


def _places(path: Path | None, geometry: Geometry, transform: Any) -> np.ndarray:
    """(1 MOST_PLACES 7), as `PairStore.landmarks`, those after where the rigid registration brings them."""
    found = np.zeros((1, MOST_PLACES, 7), np.float32)
    if path is None:
        return found
    with reading("the landmarks"):
        table = pd.read_csv(path)
        lost = [each for each in PLACES if each not in table]
        if lost:
            raise SpecimenError(f"the landmarks have no column {', '.join(lost)}; wanted {', '.join(PLACES)}")
        before, after = np.split(table[[*PLACES]].to_numpy(float), 2, axis=1)
    back = transform.GetInverse()
    after = np.array([back.TransformPoint(each) for each in after.tolist()]).reshape(-1, 3)
    axes, spacing = np.array(geometry.directions), np.array(geometry.spacing)
    own, other = ((each - geometry.origin) @ axes.T for each in (before, after))
    inside = ((own >= 0) & (own <= (np.array(geometry.shape) - 1) * spacing)).all(axis=1)
    kept = np.concatenate([own, other, np.ones((len(own), 1))], axis=1)[inside][:MOST_PLACES]
    found[0, : len(kept)] = kept
    return found

"""Layout: where the files of a public set lie in its download and what they are; one TOML file a set, beside this."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pydicom

from hepatica.cohort.errors import SettingsError

LAYOUTS = tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.toml")))
"""Names of the sets."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """A file or folder of a set. `role`: "image", "lesion", or the attachment (a column of specimens.csv) that it is.

    `outcome`: of an image, what it says of its patient. `polygons`: a mask is of points on the picture `slices_of`.
    `slices_of`: the folder of DICOM images on whose slices a mask lies that is a folder of pictures or DICOM slices, of
    which values from `values[0]` to `values[1]` are marked. `place`: of a lesion without mask, x, y, z and diameter
    (LPS, mm).
    """

    role: str
    patient: str
    specimen: str
    path: str = ""
    modality: str = ""
    phase: str = ""
    lesion: str = ""
    label: str = ""
    segment: int | None = None
    slices_of: str = ""
    values: tuple[int, int] = (1, 255)
    place: tuple[float, ...] = ()
    outcome: str = ""
    polygons: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of patients: its `file` (a pattern of its path), the column of `patient`, further `columns` by what they
    become, and `endpoints`, each with time and event and the unit of time.
    """

    file: str
    patient: str
    columns: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A set. `files` are rules: patterns of paths below the download, with what the groups of a match mean; `segment`:
    the label that a mask has of a lesion, or a pattern of its name in DICOM SEG.

    `phases` has what the set calls a phase, and our name, the preferred reference first; `needs` a role without which
    an examination is left out; `classes` those of lesions, `outcomes` what the set calls the outcome of a patient, and
    our value of the `endpoint` (a class, or 0 and 1); `annotations` the file that has boxes of lesions.
    """

    name: str
    title: str
    licence: str
    cite: str
    source: str
    unverified: str
    example: str
    files: tuple[Mapping[str, Any], ...] = ()
    phases: Mapping[str, str] = field(default_factory=dict)
    needs: str = ""
    classes: Mapping[str, str] = field(default_factory=dict)
    endpoint: str = ""
    outcomes: Mapping[str, str] = field(default_factory=dict)
    annotations: str = ""
    table: Table | None = None

    def items(self, folder: Path) -> Iterator[Item]:
        """What the rules find in a download, in the order of paths."""
        for path in sorted(folder.rglob("*")):
            relative = path.relative_to(folder).as_posix()
            for rule in self.files:
                match = re.fullmatch(f"(?P<at>(?:.*/)?){rule['path']}", relative)
                if match and rule.get("folder", False) == path.is_dir():
                    yield from self._items(rule, match.groupdict(default=""), relative, path)

    def _items(self, rule: Mapping[str, Any], groups: Mapping[str, str], relative: str, path: Path) -> Iterator[Item]:
        item = Item(
            role=rule["is"],
            patient=rule.get("patient", "{patient}").format(**groups),
            specimen=rule.get("specimen", "{patient}").format(**groups),
            path=relative,
            modality=rule.get("modality", ""),
            phase=self.phases.get(groups.get("phase", ""), ""),
            lesion=groups.get("lesion", ""),
            label=rule.get("label", ""),
            slices_of=rule.get("slices_of", "").format(**groups),
            values=tuple(rule.get("values", (1, 255))),
            outcome=self.outcomes.get(groups.get("outcome", ""), ""),
            polygons=rule.get("polygons", False),
        )
        segment = rule.get("segment")
        if not isinstance(segment, str):
            yield replace(item, segment=segment)
            return
        header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        if str(header.get("Modality")) != "SEG":
            return
        for each in header.SegmentSequence:
            if re.search(segment, str(each.SegmentLabel), re.IGNORECASE):
                number = int(each.SegmentNumber)
                yield replace(item, segment=number, lesion=str(number))


def read_layout(name: str) -> Layout:
    """The layout of a set; SettingsError with all names where it is none."""
    if name not in LAYOUTS:
        raise SettingsError(f"got the layout {name!r}, wanted one of {', '.join(LAYOUTS)}")
    raw = tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8"))
    table = Table(**raw.pop("table")) if "table" in raw else None
    return Layout(name=name, files=tuple(raw.pop("files", ())), table=table, **raw)

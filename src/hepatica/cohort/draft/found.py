"""Found: the slides, scans and spectra below a folder, and whose they are by the words of their paths."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

SUFFIXES = {
    **dict.fromkeys((".svs", ".ndpi", ".mrxs", ".scn", ".vms", ".vmu", ".bif", ".svslide", ".tif", ".tiff"), "slide"),
    **dict.fromkeys((".nii", ".nii.gz", ".nrrd", ".mha"), "ct"),
    **dict.fromkeys((".sdat", ".rda", ".7"), "spectrum"),
}
"""Which modality a file is of, by the end of its name."""

VOLUMES = (".nii", ".nii.gz", ".nrrd", ".mha")
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
MASKS = {"mask", "masks", "seg", "segmentation", "label", "labels", "labelmap", "roi"}
PHASES = {
    **dict.fromkeys(("plain", "native", "nc", "unenhanced", "noncontrast"), "plain"),
    **dict.fromkeys(("pre", "precontrast"), "pre"),
    **dict.fromkeys(("arterial", "art", "ap", "hap"), "arterial"),
    **dict.fromkeys(("portal", "pv", "pvp", "venous", "ven"), "portal venous"),
    **dict.fromkeys(("delayed", "del", "dp", "late", "equilibrium"), "delayed"),
    **dict.fromkeys(("hepatobiliary", "hbp"), "hepatobiliary"),
    **dict.fromkeys(("t2", "adc"), ""),
}
"""Words of a file's name by which it is a phase or sequence of a study, and hepatica's name of the phase."""

_RUNS = re.compile(r"[^\W\d_]+|\d+")
_WORDS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A file or folder that may be a specimen. `words` are further names of its patient, such as those of a header, and
    `patient` a number that those of one patient share, where a header says so.
    """

    path: Path
    modality: str
    words: tuple[str, ...] = ()
    patient: int = 0


@dataclass(frozen=True, kw_only=True)
class Files:
    """`specimens`, `masks` of volumes, whether there is `dicom`, which is sorted by its headers instead, and `others`,
    which are of no known kind.
    """

    specimens: tuple[Found, ...]
    masks: tuple[Path, ...]
    dicom: bool
    others: tuple[Path, ...] = ()

    @property
    def left_out(self) -> str:
        """How many others there are of each kind, without their names; "" where there are none."""
        kinds = Counter(suffix(each) or "without suffix" for each in self.others)
        listed = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        return f"left out, not known as slide, scan or spectrum: {listed}" if listed else ""


def find_files(folder: Path, *, modality: str | None = None) -> Files:
    """Everything below a folder that may be a specimen; a `modality` holds for files that may be of another.

    Hidden files, what macOS and Windows leave behind and the folders of MIRAX slides are passed over; linked folders
    are read, each once.
    """
    specimens, masks, others, dicom = [], [], [], False
    visited: set[str] = set()
    for where, folders, names in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(where)) in visited:  # a link back
            folders.clear()
            continue
        visited.add(real)
        beside = {Path(each).stem for each in names if each.lower().endswith(".mrxs")}
        folders[:] = sorted(each for each in folders if each not in beside and each[0] not in "._")
        for name in sorted(each for each in names if each[0] != "."):
            path = Path(where, name)
            kind = SUFFIXES.get(suffix(path))
            if kind is None:
                known = suffix(path) in ARCHIVES or _is_dicom(path)
                dicom = dicom or known
                others += [] if known else [path]
            elif kind == "ct" and is_mask(path):
                masks.append(path)
            else:
                specimens.append(Found(path=path, modality=kind if kind == "slide" else modality or kind))
    return Files(specimens=tuple(specimens), masks=tuple(masks), dicom=dicom, others=tuple(others))


def suffix(path: Path) -> str:
    """The end of its name in lower case, .nii.gz and .tar.gz being one."""
    name = path.name.lower()
    return next((each for each in (".nii.gz", ".tar.gz") if name.endswith(each)), Path(name).suffix)


def runs(text: str) -> list[str]:
    """Runs of letters and of digits, without case and leading zeros."""
    return [each.lstrip("0") or "0" if each.isdigit() else each for each in _RUNS.findall(text.lower())]


def phases_together(found: Iterable[Found]) -> list[Found]:
    """Volumes of one folder that are named after phases or sequences are one study, that folder; the others as is."""
    found = list(found)
    named = [each for each in found if suffix(each.path) in VOLUMES]
    count = Counter(each.path.parent for each in named)
    plain = {each.path.parent for each in named if not set(_WORDS.findall(each.path.name.lower())) & {*PHASES}}
    merged = {
        (parent if count[parent] > 1 and parent not in plain and each in named else each.path): each
        for each in found
        for parent in [each.path.parent]
    }
    return [replace(each, path=path) for path, each in merged.items()]


def phase_in(path: Path) -> str:
    """The contrast phase in a file's name; "" where it has none."""
    return next((PHASES[each] for each in _WORDS.findall(path.name.lower()) if PHASES.get(each)), "")


def is_mask(path: Path) -> bool:
    """Whether a volume is called a mask."""
    return bool(set(runs(path.name)) & MASKS)


class Owners:
    """Whose a path is: patients by the names that may be part of it."""

    def __init__(self, names: Mapping[str, Iterable[str]]) -> None:
        """`names` of each patient_id."""
        self._known: dict[tuple[str, ...], set[str]] = {}
        for patient, own in names.items():
            for name in filter(None, own):
                self._known.setdefault(tuple(runs(name)), set()).add(patient)

    def of(self, *texts: str) -> str | None:
        """The patient of the longest name found in the texts, which may be paths; of two of one length, that with which
        a part begins. None where there is none, or still two.
        """
        _, best = self._longest(texts)
        return next(iter(best)) if len(best) == 1 else None

    def unsure(self, *texts: str) -> bool:
        """Whether one word or number within a longer name is all that speaks for that patient."""
        how, best = self._longest(texts)
        return len(best) == 1 and how == (1, False)

    def _longest(self, texts: Iterable[str]) -> tuple[tuple[int, bool], set[str]]:
        """Patients of the longest name found; how many words and numbers it has, and whether a part begins with it."""
        found: dict[tuple[int, bool], set[str]] = {}
        for parts in (runs(part) for text in texts for part in text.split("/")):
            for start in range(len(parts)):
                for stop in range(start + 1, len(parts) + 1):
                    if known := self._known.get(tuple(parts[start:stop])):
                        found.setdefault((stop - start, start == 0), set()).update(known)
        return max(found.items()) if found else ((0, False), set())


def _is_dicom(path: Path) -> bool:
    if path.suffix.lower() in (".dcm", ".ima"):
        return True
    if path.suffix and not path.suffix[1:].isdigit():  # names of DICOM files are often identifiers with points
        return False
    if not path.is_file() or not os.access(path, os.R_OK):  # a link to nowhere, a pipe
        return False
    with path.open("rb") as file:
        head = file.read(132)
    return head[128:] == b"DICM" or (head[:2] == b"\x08\0" and head[3:4] == b"\0")  # of old devices: no preamble

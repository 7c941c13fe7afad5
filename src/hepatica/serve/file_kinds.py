"""File kinds: what a file is, by its ending and first bytes, and which models read it; nothing of it is decoded."""

from collections.abc import Iterable
from pathlib import Path

from hepatica.cohort.draft.found import ARCHIVES, suffix
from hepatica.cohort.table import OF_TABLES

_SLIDES = (".svs", ".ndpi", ".mrxs", ".scn", ".vms", ".vmu", ".bif", ".svslide", ".tif", ".tiff")
_VOLUMES = (".nii", ".nii.gz", ".nrrd", ".mha")
_SPECTRA = (".sdat", ".spar", ".rda", ".7", ".raw", ".h2o", ".dat", ".ima")
_PICTURES = (".png", ".jpg", ".jpeg")
_ENDINGS = {
    **dict.fromkeys(_SLIDES, "slide"),
    **dict.fromkeys(_VOLUMES, "volume"),
    **dict.fromkeys(_SPECTRA, "spectrum"),
    **dict.fromkeys(_PICTURES, "picture"),
    **dict.fromkeys(ARCHIVES, "archive"),
    ".csv": "table",
    ".dcm": "dicom",
}
_STUDY = frozenset({"dicom", "volume", "picture", "archive"})
_READ = {
    "slide": frozenset({"slide", "dicom", "archive", "picture"}),
    "spectrum": frozenset({"spectrum", "volume", "dicom", "archive"}),
    **dict.fromkeys(("ct", "mr", "ultrasound"), _STUDY),
    **dict.fromkeys(OF_TABLES, frozenset({"table", "archive"})),
}
"""What the models of each modality read; of several inputs together, an archive with a cohort folder."""

_MAGIC = {b"II*\0": "slide", b"MM\0*": "slide", b"II+\0": "slide", b"MM\0+": "slide", b"PK\3\4": "archive"}


def kind_of(path: Path) -> str:
    """slide, volume, dicom, spectrum, picture, archive or table; "unknown" for anything else."""
    with path.open("rb") as file:
        head = file.read(132)
    if head[128:] == b"DICM":
        return "dicom"
    by_name = _ENDINGS.get(suffix(path))
    if by_name is None:
        old = head[:2] == b"\x08\0" and head[3:4] == b"\0"
        return "dicom" if old else _MAGIC.get(head[:4], "unknown")
    return by_name


def kind_by_name(name: str) -> str:
    """The same by its ending alone, before a byte of it is there."""
    return _ENDINGS.get(suffix(Path(name)), "unknown")


def readable(modality: str) -> frozenset[str]:
    """The kinds of file that a model of this modality reads."""
    return _READ.get(modality, frozenset({"archive"}))


def unsuitable(files: Iterable[Path], *, modality: str) -> str:
    """Why a model of this modality cannot read these files; "" where it may."""
    kinds = {kind_of(each) for each in files}
    if kinds <= readable(modality):
        return ""
    return (
        f"got {' and '.join(sorted(kinds))}, wanted {' or '.join(sorted(readable(modality)))} for a model that reads"
        f" {modality}; choose another model, or other files"
    )

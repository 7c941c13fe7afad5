"""Export: the files of many patients, as an archive hands them out, sorted into studies of one patient each."""

import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from hepatica.cohort.draft.found import ARCHIVES, SUFFIXES, Found, suffix
from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.dicom.header import read_dataset
from hepatica.radiology.dicom.sources import Identity, Source, find_sources, identity, patients

MODALITIES = {"CT": "ct", "MR": "mr", "US": "ultrasound", "SM": "slide"}
"""Ours by DICOM's."""

Study = tuple[tuple[str, ...], str]
"""The words that name a patient, and a study of them."""


def by_patient(path: Path, into: Path) -> list[Found]:
    """A study of one patient each, of all the DICOM files below a folder, or in an archive.

    A folder or an archive that holds one study and no other is given as it is; the files of others are linked, or
    unpacked, into folders of `into` that are called by numbers. Files that are no DICOM images of CT, MR, ultrasound or
    slides make no study; reports and segmentations stay with theirs. An archive that cannot be looked into, or holds no
    DICOM file, comes last, without a modality.
    """
    sources = find_sources(path)
    headers = {source: read for source in sources if (read := _header(source))}
    who = patients({own for own, _ in headers.values()})
    studies: dict[Study, list[Source]] = defaultdict(list)
    holders: dict[Path, set[Study]] = defaultdict(set)
    for source, (own, _) in headers.items():
        study = who[own], own.study
        studies[study].append(source)
        for place in (_outer(source), *_outer(source).parents):
            holders[place].add(study)
    numbers = {words: k for k, words in enumerate(dict.fromkeys(words for words, _ in studies), start=1)}
    found = []
    for number, (study, files) in enumerate(studies.items(), start=1):
        kinds = Counter(headers[each][1] for each in files)
        if modality := next((MODALITIES[each] for each, _ in kinds.most_common() if each in MODALITIES), None):
            place = _common(files)
            alone = holders[place] == {study} and (place == path or path in place.parents)
            place = place if alone else _gathered(files, into / f"{number:04}")
            found.append(Found(path=place, modality=modality, words=study[0][:1], patient=numbers[study[0]]))
    outer = sorted({_outer(each) for each in sources} - {*holders} - {path})
    return found + [Found(path=each, modality="") for each in outer if suffix(each) in ARCHIVES]


def _header(source: Source) -> tuple[Identity, str] | None:
    """Whose a file is, and of which modality; None where it is no DICOM file."""
    if suffix(Path(source.member or source.path)) in SUFFIXES:
        return None
    try:
        header = read_dataset(source)
    except SpecimenError:
        return None
    return identity(header), str(header.get("Modality", ""))


def _common(sources: Sequence[Source]) -> Path:
    """The archive, or the deepest folder, in which all of them lie."""
    paths = {_outer(each) for each in sources}
    archived = len(paths) == 1 and (sources[0].member or sources[0].archive)
    return _outer(sources[0]) if archived else Path(os.path.commonpath([each.parent for each in paths]))


def _outer(source: Source) -> Path:
    return source.archive or source.path


def _gathered(sources: Sequence[Source], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, source in enumerate(sources, start=1):
        place = folder / f"{number:06}.dcm"
        if place.is_symlink() or place.exists():
            place.unlink()
        if source.member is None and source.archive is None:
            place.symlink_to(source.path.resolve())
        else:
            with source.open() as file, place.open("wb") as written:
                shutil.copyfileobj(file, written)
    return folder

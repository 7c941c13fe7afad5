"""Disk need: what the tiles of slides would take, estimated from a few of them before any is cut."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from hepatica.cohort.errors import SpecimenError
from hepatica.cohort.specimens import Specimen
from hepatica.pathology.outlines import region_of
from hepatica.pathology.reader import as_specimen_error
from hepatica.pathology.slide import Slide, extent, open_slide
from hepatica.pathology.survey import survey
from hepatica.pathology.tiles import Tiling

ASKED = 8
"""Slides, evenly spread over the list, of which tiles are counted (ours)."""

WORTH_A_LINE = 1e9
"""Bytes below which nothing is said (ours)."""

MOST = 0.5
"""Share of the free disk that tiles may take (ours)."""


def fits(specimens: Sequence[Specimen], *, tiling: Tiling, folder: Path, progress: bool = True) -> bool:
    """Whether the tiles of these slides may be stored in `folder`; what they would take is printed first."""
    if _expected(specimens, tiling, _tiles_of_area) < WORTH_A_LINE:  # even if all were tissue
        return True
    need, free = expected_bytes(specimens, tiling=tiling), _free(folder)
    stored = need <= MOST * free
    end = "are stored" if stored else "are not stored but cut from the slides whenever they are read, which is slower"
    if progress and need >= WORTH_A_LINE:
        line = (
            f"tiles of {len(specimens)} slides: about {need / 1e9:,.0f} GB, {free / 1e9:,.0f} GB are free; they {end}"
        )
        Console(stderr=True).print(line, soft_wrap=True, highlight=False)
    return stored


def expected_bytes(specimens: Sequence[Specimen], *, tiling: Tiling) -> float:
    """Bytes that the tiles of all these slides would take, by the number of tiles of `ASKED` of them."""
    return _expected(specimens, tiling, _tiles_of_tissue)


def _expected(
    specimens: Sequence[Specimen], tiling: Tiling, count: Callable[[Slide, Specimen, Tiling], float]
) -> float:
    asked = np.unique(np.linspace(0, max(len(specimens) - 1, 0), ASKED).astype(int))
    counts = [_counted(specimens[n], tiling, count) for n in asked if specimens]
    most = np.inf if tiling.limit is None else tiling.limit
    return float(np.minimum(counts or [0], most).mean()) * len(specimens) * tiling.side**2 * 3


def _counted(specimen: Specimen, tiling: Tiling, count: Callable[[Slide, Specimen, Tiling], float]) -> float:
    """What `count` says of a slide; none where it cannot be used."""
    try:
        with (
            as_specimen_error(specimen.path),
            open_slide(specimen.path, mpp=specimen.mpp, force=specimen.force_mpp) as slide,
        ):
            return count(slide, specimen, tiling)
    except SpecimenError:
        return 0


def _tiles_of_area(slide: Slide, specimen: Specimen, tiling: Tiling) -> float:
    return slide.size[0] * slide.size[1] / extent(side=tiling.side, mpp=tiling.mpp, native=slide.mpp) ** 2


def _tiles_of_tissue(slide: Slide, specimen: Specimen, tiling: Tiling) -> float:
    return len(survey(slide, tiling, region_of(specimen, origin=slide.origin))[0])


def _free(folder: Path) -> int:
    """Bytes free where a folder is, or will be."""
    there = next(each for each in (folder.resolve(), *folder.resolve().parents) if each.is_dir())
    return shutil.disk_usage(there).free

"""Pictures: draw specimens of a run, each called by its row in the table."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from hepatica.cohort import Specimen
from hepatica.protocol import Material
from hepatica.runs.lock import LockedRun, picture_note


def draw_specimens(
    locked: LockedRun, specimens: Sequence[Specimen], *, material: Material, regions: pd.DataFrame, out: Path
) -> dict[int, list[Path]]:
    """Draw each specimen's regions into `out`; return the files by the specimen's row."""
    saliency = partial(locked.system.saliency, locked.network)
    drawn = {}
    for specimen in specimens:
        own = regions[regions["specimen_id"] == specimen.specimen_id]
        stem = out / f"specimen_{specimen.row:04d}"
        drawn[specimen.row] = locked.system.draw(
            specimen, material=material, regions=own, saliency=saliency, stem=stem, note=picture_note(locked)
        )
    return drawn

"""Pictures: draw specimens of a run, each called by its row in the table."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from hepatica.cohort import Specimen
from hepatica.protocol.joined import Joined
from hepatica.runs.lock import LockedRun, picture_note


def draw_specimens(
    locked: LockedRun, specimens: Sequence[Specimen], *, material: Any, regions: pd.DataFrame, out: Path
) -> dict[int, list[Path]]:
    """Draw each specimen's regions into `out`; return the files by the specimen's row.

    Of a system with several inputs the first is drawn, with the others as that patient has them.
    """
    system = locked.system
    draw = system.draw or system.first.draw
    drawn: dict[int, list[Path]] = {}
    for specimen in specimens if draw else ():
        network, own = locked.network, material
        if isinstance(material, Joined):
            network = material.first_alone(locked.network, patient_id=specimen.patient_id)
            own = next(iter(material.parts.values()))
        drawn[specimen.row] = draw(  # type: ignore[misc]
            specimen,
            material=own,
            regions=regions[regions["specimen_id"] == specimen.specimen_id],
            saliency=partial(system.explain, network),
            stem=out / f"specimen_{specimen.row:04d}",
            note=picture_note(locked),
            meaning=system.meaning,
        )
    return drawn

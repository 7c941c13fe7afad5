"""Pictures: draw specimens of a run, each called by its row in the table."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from hepatica.cohort import Specimen, SpecimenError
from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import reading
from hepatica.cohort.specimens import Inspected
from hepatica.protocol.joined import Joined
from hepatica.runs.lock import LockedRun, picture_note

INSPECTED = {
    "slide": "hepatica.pathology",
    "ct": "hepatica.radiology",
    "mr": "hepatica.radiology",
    "ultrasound": "hepatica.radiology.ultrasound",
    "spectrum": "hepatica.spectroscopy",
}
"""The package whose `inspection.inspect` looks at specimens of each modality."""


def inspection(modality: str) -> Callable[..., Inspected]:
    """The function that looks at specimens of a modality; ModuleNotFoundError where its room is not installed."""
    found: Callable[..., Inspected] = import_module(f"{INSPECTED[modality]}.inspection").inspect
    return found


def cautioned(note: str, caution: str | None) -> str:
    """The note of a result, after the reason for caution, where there is one."""
    return f"{caution}; {note}" if caution else note


def draw_specimens(
    locked: LockedRun,
    specimens: Sequence[Specimen],
    *,
    material: Any,
    regions: pd.DataFrame,
    cautions: Mapping[str, str],
    out: Path,
) -> dict[int, list[Path]]:
    """Draw each specimen's regions into `out`; return the files by the specimen's row.

    The pictures say what `cautions` says of their specimen_id.
    Of a system with several inputs the first is drawn, with the others as that patient has them.
    """
    system = locked.system
    draw = system.draw or system.first.draw
    meaning = system.meaning.format(first=system.targets(locked.settings)[0].endpoint.upper())
    drawn: dict[int, list[Path]] = {}
    for specimen in specimens if draw else ():
        network, own = first_input(locked, material, specimen)
        with only_warned(specimen, "pictures", out=out):
            drawn[specimen.row] = draw(  # type: ignore[misc]
                specimen,
                material=own,
                regions=regions[regions["specimen_id"] == specimen.specimen_id],
                saliency=partial(system.explain, network),
                stem=out / f"specimen_{specimen.row:04d}",
                note=cautioned(picture_note(locked), cautions.get(specimen.specimen_id)),
                meaning=meaning,
            )
    return drawn


def draw_inputs(specimens: Sequence[Specimen], *, out: Path) -> None:
    """The specimens themselves, with a scale bar, to be seen beside their maps; the map of a spectrum is over it."""
    for specimen in specimens:
        if specimen.modality in INSPECTED and specimen.modality != "spectrum":
            with only_warned(specimen, "picture of itself", out=out):
                picture: Any = inspection(specimen.modality)(specimen, outlined=False).picture
                with replacing(out / f"specimen_{specimen.row:04d}_input.jpg") as temporary:
                    Image.fromarray(picture).save(temporary, quality=88)


def first_input(locked: LockedRun, material: Any, specimen: Specimen) -> tuple[Any, Any]:
    """Network and material of the first input alone, the others as the patient of this specimen has them."""
    if not isinstance(material, Joined):
        return locked.network, material
    alone = material.first_alone(locked.network, patient_id=specimen.patient_id)
    return alone, next(iter(material.parts.values()))


@contextmanager
def only_warned(specimen: Specimen, what: str, *, out: Path) -> Iterator[None]:
    """Warn where what is made of one specimen cannot be made, so that the others lose nothing."""
    try:
        with reading("the file", writing=out):
            yield
    except SpecimenError as error:
        warnings.warn(f"specimen {specimen.row}: no {what}: {error}", stacklevel=3)

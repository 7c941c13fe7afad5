"""Domain: what a system's training specimens measured, input by input, and whether others are like them."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from hepatica.cohort.applicability import IN_DOMAIN, UNKNOWN, UNUSUAL, Domain, judge, learn_domain
from hepatica.protocol.system import System

INPUT = "input"
"""What a domain calls the only input of a system."""


def learn(system: System[Any, Any], material: Any, *, patients: Iterable[str]) -> dict[str, Domain]:
    """The domain of each input whose room measures its specimens, of the specimens of these patients."""
    chosen = set(patients)
    found = {}
    for name, room, part in _inputs(system, material):
        if room.measure is not None:
            own = part.select(patient_ids=chosen)
            found[name] = learn_domain(room.measure(own), tolerances=room.tolerances)
    return found


def judged(system: System[Any, Any], material: Any, *, domain: Mapping[str, Domain]) -> pd.DataFrame:
    """applicability and reason of each specimen of the first input, by specimen_id; `unknown` without a domain.

    A specimen of another input counts for its patient's: a score that rests on it is as unusual as it is.
    """
    owners = material.specimens.set_index("specimen_id")["patient_id"]
    reasons: dict[str, dict[str, None]] = {name: {} for name in owners.index}
    for place, (name, room, part) in enumerate(_inputs(system, material)):
        if name not in domain or room.measure is None:
            continue
        found = judge(room.measure(part), domain=domain[name])["reason"].dropna()
        patients = part.specimens.set_index("specimen_id")["patient_id"]
        for specimen, reason in found.items():
            concerned = owners.index == specimen if place == 0 else owners == patients[specimen]
            for other in owners.index[concerned]:
                reasons[other][reason if name == INPUT else f"{name}: {reason}"] = None
    reason = pd.Series({name: "; ".join(each) or None for name, each in reasons.items()}, dtype="string")
    examined = reason.notna().map({True: UNUSUAL, False: IN_DOMAIN})
    applicability = examined if domain else pd.Series(UNKNOWN, index=reason.index)
    return pd.DataFrame({"applicability": applicability, "reason": reason}).rename_axis("specimen_id")


def _inputs(system: System[Any, Any], material: Any) -> list[tuple[str, Any, Any]]:
    """Name, room and material of each input."""
    if system.room is not None:
        return [(INPUT, system.room, material)]
    return [(name, room, material.parts[name]) for name, room in system.inputs.items()]

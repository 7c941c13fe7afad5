"""Domain: each input is judged by its own room, and counts for the patient."""

from types import SimpleNamespace
from typing import Any

import pandas as pd

from hepatica.protocol.domain import judged, learn


class Part:
    """A material of one specimen a patient, with one value each."""

    def __init__(self, kind: str, values: dict[str, float]) -> None:
        self.kind, self.values = kind, values
        self.specimens = pd.DataFrame({"patient_id": list(values), "specimen_id": [f"{kind} {who}" for who in values]})

    def select(self, *, patient_ids: set[str]) -> "Part":
        return Part(self.kind, {who: value for who, value in self.values.items() if who in patient_ids})


def measure(part: Part) -> pd.DataFrame:
    return pd.DataFrame({"size": list(part.values.values())}, index=part.specimens["specimen_id"].to_numpy())


ROOM = SimpleNamespace(measure=measure, tolerances={"size": 1.0})
SILENT = SimpleNamespace(measure=None, tolerances={})


def system(**inputs: Any) -> Any:
    return SimpleNamespace(room=inputs.get("room"), inputs={key: room for key, room in inputs.items() if key != "room"})


def test_the_domain_is_of_the_training_patients_alone() -> None:
    part = Part("slide", {"P1": 1.0, "P2": 2.0, "P3": 99.0})
    domain = learn(system(room=ROOM), part, patients=["P1", "P2"])
    assert domain["input"]["size"]["high"] < 3
    found = judged(system(room=ROOM), part, domain=domain)
    assert found["applicability"].to_dict() == {"slide P1": "in_domain", "slide P2": "in_domain", "slide P3": "unusual"}


def test_an_unusual_second_input_makes_the_patient_s_specimen_unusual_and_is_named() -> None:
    mr, labs = Part("mr", {"P1": 1.0, "P2": 2.0}), Part("labs", {"P1": 1.0, "P2": 50.0, "P9": 70.0})
    both: Any = SimpleNamespace(parts={"mri": mr, "labs": labs}, specimens=mr.specimens)
    asked = system(mri=ROOM, labs=ROOM)
    domain = learn(asked, SimpleNamespace(parts=both.parts), patients=["P1"])
    found = judged(asked, both, domain=domain)
    assert found["applicability"].to_dict() == {"mr P1": "in_domain", "mr P2": "unusual"}
    assert found.loc["mr P2", "reason"].startswith("labs: unlike the training specimens: size 50")


def test_what_no_room_measures_is_not_called_usual() -> None:
    part = Part("slide", {"P1": 1.0})
    assert learn(system(room=SILENT), part, patients=["P1"]) == {}
    assert judged(system(room=SILENT), part, domain={})["applicability"].tolist() == ["unknown"]

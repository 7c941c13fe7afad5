"""Measures: an abdomen is told from a head by its tissues, and a picture by its units."""

from typing import Any

import numpy as np
import pandas as pd

from hepatica.cohort.applicability import judge, learn_domain
from hepatica.radiology.measures import TOLERANCES, measure


class Slices:
    """A store of slices (n h w) in HU, or grey, of one study each."""

    def __init__(self, studies: dict[str, np.ndarray], *, units: str = "HU") -> None:
        self.values = np.concatenate(list(studies.values()))
        names = [name for name, slices in studies.items() for _ in slices]
        self.index = pd.DataFrame({"specimen_id": names})
        self.specimens = pd.DataFrame({"specimen_id": list(studies), "units": units})

    def stored(self, indices: np.ndarray) -> np.ndarray:
        return self.values[indices]


def body(seed: int, *, bone: float) -> np.ndarray:
    """Slices of a disc of soft tissue and fat in air, `bone` the width of a rim of bone as a share of the radius."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:64, :64] - 31.5
    radius = np.hypot(x, y) / 24
    slices = np.full((4, 64, 64), -1000.0)
    slices[:, radius < 1] = -80
    slices[:, radius < 0.8] = 60
    slices[:, (radius < 1) & (radius > 1 - bone)] = 900
    return np.asarray(slices + rng.normal(0, 10, slices.shape), np.int16)


def domain() -> Any:
    training = measure(Slices({str(seed): body(seed, bone=0.02) for seed in range(8)}))  # type: ignore[arg-type]
    return learn_domain(training, tolerances=TOLERANCES)


def test_a_rim_of_bone_makes_a_study_unusual_and_is_named() -> None:
    new = Slices({"abdomen": body(9, bone=0.02), "head": body(9, bone=0.2)})
    found = judge(measure(new), domain=domain())  # type: ignore[arg-type]
    assert found["applicability"].to_dict() == {"abdomen": "in_domain", "head": "unusual"}
    assert "bone share" in found.loc["head", "reason"]


def test_pictures_are_measured_by_their_units_alone() -> None:
    found = measure(Slices({"jpeg": body(9, bone=0.02)}, units="grey"))  # type: ignore[arg-type]
    assert found.drop(columns="units").isna().all(axis=None)
    assert judge(found, domain=domain())["reason"].item() == (
        "unlike the training specimens: units grey (in training HU)"
    )


def test_an_empty_study_is_measured_too() -> None:
    found = measure(Slices({"air": np.full((2, 32, 32), -1000, np.int16)}))  # type: ignore[arg-type]
    assert found["body_share"].item() == 0
    assert np.isfinite(found.drop(columns="units").to_numpy(float)).all()

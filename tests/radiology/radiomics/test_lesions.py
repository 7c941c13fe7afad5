"""Lesions: a store of three crops, the second without a rim, the third without its second phase."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from hepatica.radiology.lesions.crops import LESION, RIM
from hepatica.radiology.radiomics import Perturbation, RadiomicsSettings, features
from hepatica.radiology.radiomics.lesions import feature_names, lesion_features, stable_features

PHASES, SPACING = ("arterial", "delayed"), (2.0, 1.0, 1.0)
SETTINGS = RadiomicsSettings(families=("shape", "first_order"))


@dataclass(frozen=True)
class Crops:
    """What is read of a LesionStore."""

    values: np.ndarray
    marks: np.ndarray
    index: pd.DataFrame

    def __len__(self) -> int:
        return len(self.index)

    def stored(self, indices: np.ndarray) -> np.ndarray:
        return self.values[indices]

    def masks(self, indices: np.ndarray) -> np.ndarray:
        return self.marks[indices]


@pytest.fixture(scope="module")
def crops() -> Crops:
    rng = np.random.default_rng(0)
    z, y, x = np.mgrid[-4:5, -9:10, -9:10]
    away = np.sqrt((2 * z) ** 2 + y**2 + x**2)
    marks = np.stack([np.where(away < size, LESION, np.where(away < 8, RIM, 0)) for size in (4, 5, 6)])
    marks[1][marks[1] == RIM] = 0
    values = rng.normal(80, 20, size=(3, 2, *away.shape)).astype(np.float32)
    values[2, 1] = np.nan
    index = pd.DataFrame({"patient_id": ["P1", "P2", "P3"], "specimen_id": ["S1", "S2", "S3"]})
    return Crops(values, marks, index)


def test_names_are_of_each_part_and_phase_and_of_shape_once() -> None:
    names = feature_names(PHASES, RadiomicsSettings())
    assert len(names) == 2 * (128 + 103) == len(set(names))  # 25 features of shape
    assert "arterial rim cm_contrast_ACUI" in names
    assert "arterial lesion morph_volume_RNU0" in names
    assert "delayed lesion morph_volume_RNU0" not in names


def test_features_are_those_of_each_part(crops) -> None:
    found = lesion_features(crops, phases=PHASES, spacing_mm=SPACING, settings=SETTINGS)
    table = pd.DataFrame(found.values, columns=list(found.names))
    rim = features(crops.values[0, 1], crops.marks[0] == RIM, spacing_mm=SPACING, settings=SETTINGS)
    assert table.loc[0, "delayed rim stat_mean_Q4LE"] == pytest.approx(rim["stat_mean_Q4LE"], rel=1e-6)
    lesion = features(crops.values[2, 0], crops.marks[2] == LESION, spacing_mm=SPACING, settings=SETTINGS)
    assert table.loc[2, "arterial lesion morph_area_C0JK"] == pytest.approx(lesion["morph_area_C0JK"], rel=1e-6)
    assert found.read(np.array([2, 0])).shape == (2, len(found.names))
    absent = {name for name in found.names if np.isnan(table.loc[1, name])}
    assert absent == {name for name in found.names if " rim " in name}
    absent = {name for name in found.names if np.isnan(table.loc[2, name])}
    assert absent == {name for name in found.names if name.startswith("delayed")}


def test_what_is_stable_is_said_of_every_feature(crops) -> None:
    whole = replace(crops, values=np.nan_to_num(crops.values, nan=80.0))
    noisy = (Perturbation(), *[Perturbation(noise=20.0)] * 3)
    how = {"phases": PHASES, "spacing_mm": SPACING, "settings": SETTINGS, "perturbations": noisy}
    stable = dict(zip(feature_names(PHASES, SETTINGS), stable_features(whole, **how), strict=True))
    assert stable["arterial lesion morph_approx_volume_YEKZ"]
    assert not stable["arterial lesion stat_skewness_KE2A"]  # noise alone

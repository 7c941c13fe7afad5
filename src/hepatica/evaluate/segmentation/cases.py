"""Cases: every statistic of one pair of masks, and their means over patients."""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.inputs import Floats
from hepatica.evaluate.mean import Scale, mean_of
from hepatica.evaluate.patients import Patients, patients_of
from hepatica.evaluate.segmentation.instances import OF_INSTANCES
from hepatica.evaluate.segmentation.overlap import (
    MaskPair,
    dice,
    hausdorff,
    relative_volume_error,
    surface_dice,
    surface_distances,
    volume_error_ml,
)

SCALES: dict[str, Scale] = {
    "dice": "logit",
    "surface_dice": "logit",
    "hd95_mm": "log",
    "hausdorff_mm": "log",
    "volume_error_ml": "linear",
    "relative_volume_error": "linear",
}
"""Statistics of a case, and the scale on which the limits of their mean are symmetric."""


def measure_case(pair: MaskPair, *, tolerance: float) -> dict[str, float]:
    """Dice, surface Dice at `tolerance` mm, HD95 and Hausdorff distance in mm, errors of volume; by name as in SCALES.

    Both masks empty: either Dice is 1; one empty: 0; and no Hausdorff distance. The true mask empty: no relative error.
    Masks of 2 axes have no volume in mL. What a case does not have is NaN.
    """
    distances = surface_distances(pair)
    return {
        "dice": dice(pair),
        "surface_dice": surface_dice(distances, tolerance=tolerance),
        "hd95_mm": hausdorff(distances, percentile=95),
        "hausdorff_mm": hausdorff(distances),
        "volume_error_ml": volume_error_ml(pair) if len(pair.spacing) == 3 else float("nan"),
        "relative_volume_error": relative_volume_error(pair),
    }


def segmentation_metrics(table: pd.DataFrame, *, group: ArrayLike | None = None) -> dict[str, Estimate]:
    """Mean over cases of each statistic in `table`: a row a case, columns as `measure_case` or
    `measure_instances` names them.

    `group` (cases,) names the patient of each case when there are several, and intervals rest on patients. Cases
    without a statistic are left out of its mean, and `method` counts them. Raises EvaluationError on other columns.
    """
    scales = SCALES | OF_INSTANCES
    strange = [str(name) for name in table.columns if name not in scales]
    if strange or table.empty:
        got = ", ".join(strange) or f"a table of shape {table.shape}"
        raise EvaluationError(f"table: got {got}, wanted cases with columns among {', '.join(scales)}")
    patients = patients_of(group, rows=len(table))
    return {str(name): _mean(table[name].to_numpy(np.float64), patients, scales[str(name)]) for name in table.columns}


def _mean(values: Floats, patients: Patients, scale: Scale) -> Estimate:
    has = ~np.isnan(values)
    defined, cases = int(has.sum()), values.size
    if not defined:
        return undefined(f"none of {cases} cases has it", n=0)
    left = patients_of(None if patients.of_row is None else patients.of_row[has], rows=defined)
    found = mean_of(values[has], left, scale=scale)
    if defined == cases:
        return found
    return replace(found, method=f"{found.method}; {cases - defined} of {cases} cases do not have it")

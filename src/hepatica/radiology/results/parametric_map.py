"""Parametric map: a network's saliency on the slices it was drawn for, as numbers in DICOM."""

from typing import Any

import numpy as np
from pydicom import Dataset

from hepatica.cohort.errors import SpecimenError
from hepatica.protocol import ModelIdentity
from hepatica.radiology.dicom.frames import tolerant
from hepatica.radiology.results.derived import digest, finish, origin
from hepatica.radiology.results.evidence import Evidence, as_stored, decimals, positions


def parametric_map(saliency: np.ndarray, *, evidence: Evidence, model: ModelIdentity) -> Dataset | None:
    """Saliency (z y x) float, 0 to 1, of the volume's grid as a Parametric Map of float32 (PS3.3 A.75).

    Slices that are 0 throughout are left out; None where all are. Rows, columns and places are those of the files.
    SpecimenError when a value is below 0, above 1 or no number.
    """
    _check(saliency)
    chosen = np.flatnonzero(saliency.any(axis=(1, 2)))
    if not chosen.size:
        return None
    import highdicom as hd

    values = as_stored(saliency[chosen].astype(np.float32), evidence)
    with tolerant():
        made = hd.pm.ParametricMap(
            source_images=evidence.slices,
            pixel_array=values,
            plane_positions=[
                hd.PlanePositionSequence("PATIENT", decimals(each)) for each in positions(evidence, chosen)
            ],
            real_world_value_mappings=[_meaning()],
            voi_lut_transformations=[hd.VOILUTTransformation(window_center=0.5, window_width=1.0)],
            contains_recognizable_visual_features=False,
            content_label="SALIENCY",
            content_description="Saliency of the network, 0 to 1",
            series_description="HCC: saliency map",
            **origin("map", digest(values), evidence=evidence, model=model),
        )
        return finish(made, evidence)


def _check(saliency: np.ndarray) -> None:
    if not ((saliency >= 0) & (saliency <= 1)).all():
        raise SpecimenError(
            "got a saliency map with values below 0, above 1 or NaN; wanted 0 to 1, scaled over the series"
        )


def _meaning() -> Any:
    import highdicom as hd
    from pydicom.sr.codedict import codes

    return hd.pm.RealWorldValueMapping(
        lut_label="SALIENCY",
        lut_explanation="Saliency, 0 to 1",
        unit=codes.UCUM.NoUnits,
        value_range=(0.0, 1.0),
        slope=1.0,
        intercept=0.0,
        quantity_definition=codes.DCM.Saliency,
    )

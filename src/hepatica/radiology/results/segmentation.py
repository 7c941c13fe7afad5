"""Segmentation: the flagged region of a series as a DICOM Segmentation that lies on the series' own slices."""

from typing import Any

import numpy as np
from pydicom import Dataset

from hepatica.protocol import ModelIdentity
from hepatica.radiology.dicom.frames import tolerant
from hepatica.radiology.results.derived import digest, finish, origin
from hepatica.radiology.results.evidence import Evidence, as_stored, decimals, positions


def segmentation(flagged: np.ndarray, *, evidence: Evidence, model: ModelIdentity) -> Dataset | None:
    """The region `flagged` (z y x) bool of the volume's grid as a binary segment (PS3.3 A.51); None where it is empty.

    Rows, columns and places are those of the files; slices without a flagged voxel are left out. Each frame names the
    file (and frame) it lies on, unless a flagged slice is in no file because it was interpolated.
    """
    chosen = np.flatnonzero(flagged.any(axis=(1, 2)))
    if not chosen.size:
        return None
    import highdicom as hd

    with tolerant():
        made = hd.seg.Segmentation(
            source_images=evidence.slices,
            pixel_array=as_stored(flagged[chosen], evidence).astype(np.uint8),
            plane_positions=[
                hd.PlanePositionSequence("PATIENT", decimals(each)) for each in positions(evidence, chosen)
            ],
            segmentation_type="BINARY",
            segment_descriptions=[_segment(model)],
            content_label="FLAGGED",
            content_description="Region flagged by the system",
            series_description="HCC: flagged region",
            **origin("segmentation", digest(flagged), evidence=evidence, model=model),
        )
        return finish(made, evidence)


def _segment(model: ModelIdentity) -> Any:
    import highdicom as hd
    from pydicom.sr.codedict import codes

    return hd.seg.SegmentDescription(
        segment_number=1,
        segment_label="Flagged region",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Lesion,
        algorithm_type="AUTOMATIC",
        algorithm_identification=hd.AlgorithmIdentificationSequence(
            name=model.system,
            version=model.version,
            family=codes.cid7162.ArtificialIntelligence,
            source=model.doi,
            parameters={"digest": model.digest},
        ),
        anatomic_regions=[codes.SCT.Liver],
    )

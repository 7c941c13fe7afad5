"""Secondary capture: a picture of the saliency over a slice, for viewers that show pictures alone."""

import numpy as np
from pydicom import Dataset

from hepatica.cohort.errors import SpecimenError
from hepatica.protocol import ModelIdentity
from hepatica.radiology.dicom.frames import tolerant
from hepatica.radiology.results.derived import digest, finish, origin, reference
from hepatica.radiology.results.evidence import Evidence

UPRIGHT = ("L", "P")
"""Columns run to the patient's left and rows to the back, as the pictures of our volumes do."""


def secondary_capture(
    picture: np.ndarray, *, index: int, number: int, evidence: Evidence, model: ModelIdentity
) -> Dataset:
    """A picture (h w 3) uint8 RGB of slice `index` of the volume's grid, the `number`th from 1 (PS3.3 A.8.1).

    The picture must not show who the patient is: the object says of it that nothing identifying is burned in. It refers
    to the file (and frame) of the slice, unless that was interpolated. SpecimenError when it is no such picture, or of
    no slice of the series.
    """
    _check(picture, index, slices=evidence.series.geometry.shape[0])
    import highdicom as hd

    head = evidence.head
    with tolerant():
        made = hd.sc.SCImage(
            pixel_array=picture,
            photometric_interpretation="RGB",
            bits_allocated=8,
            coordinate_system="PATIENT",
            patient_orientation=UPRIGHT,
            study_instance_uid=head.StudyInstanceUID,
            series_description="HCC: saliency pictures",
            **origin("capture", digest(picture), evidence=evidence, model=model, number=number),
        )
        made.copy_patient_and_study_information(head)
        made.DateOfSecondaryCapture, made.TimeOfSecondaryCapture = made.ContentDate, made.ContentTime
        made.BurnedInAnnotation = "NO"
        made.ImageComments = f"Slice {index + 1} of {evidence.series.geometry.shape[0]} from the feet"
        made.DerivationDescription = "Saliency of the network over the slice"
        if (shown := evidence.at(index)) is not None:
            made.SourceImageSequence = [reference(shown.SOPInstanceUID, evidence)]
        return finish(made, evidence)


def _check(picture: np.ndarray, index: int, *, slices: int) -> None:
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise SpecimenError(f"got a picture {picture.shape} of {picture.dtype}, wanted (h w 3) of uint8")
    if not 0 <= index < slices:
        raise SpecimenError(f"got a picture of slice {index}, wanted 0 to {slices - 1}")

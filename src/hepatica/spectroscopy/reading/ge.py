"""GE: P-files (.7) of one voxel and of its water reference, read through spec2nii; tried on no real file here."""

from pathlib import Path

import numpy as np

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.reading.nifti_mrs import of_nifti_mrs
from hepatica.spectroscopy.signal.header import Header
from hepatica.spectroscopy.signal.spectrum import RawSpectra


def read_pfile(path: Path, *, header_overrides: Header) -> RawSpectra:
    """All coils and transients; the water reference in the same file comes with them.

    Raises SpecimenError when it is of several voxels, or of a sequence that spec2nii does not know.
    """
    from spec2nii.GE import ge_pfile

    images = ge_pfile.read_pfile(path, None)[0]
    if any(np.prod(image.shape[:3]) > 1 for image in images):
        raise SpecimenError("got a spectroscopic image of several voxels, wanted a single voxel; leave it out")
    raw, *others = (of_nifti_mrs(image, header_overrides=header_overrides) for image in images[:2])
    return raw.with_water(next(iter(others), None))

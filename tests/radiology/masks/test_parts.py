"""Parts: liver and lesions of label maps, whatever they number and call them."""

import numpy as np
import pytest
from ct_balls import PLACE

from hepatica.radiology.dicom.nifti import write_nifti
from hepatica.radiology.masks.parts import outlined

BLOCK = np.zeros(PLACE.shape, np.uint8)
BLOCK[2:12, 5:25, 5:25] = 1
BLOCK[4:6, 8:12, 8:12] = 2
BLOCK[8:9, 8:12, 8:12] = 3


@pytest.mark.parametrize(
    ("labels", "expected", "name"),
    [
        (BLOCK, np.minimum(BLOCK, 2), "lits.nii.gz"),
        ((BLOCK > 0).astype(np.uint8), BLOCK > 0, "0001.nii.gz"),
        ((BLOCK > 1).astype(np.uint8), 2 * (BLOCK > 1), "livertumor.nii.gz"),
        (np.where(BLOCK, 5, 0).astype(np.uint8), BLOCK > 0, "liver.nii.gz"),
        (np.zeros_like(BLOCK), np.zeros_like(BLOCK), "empty.nii.gz"),
    ],
)
def test_label_maps(labels, expected, name, tmp_path) -> None:
    write_nifti(tmp_path / name, values=labels, geometry=PLACE)
    np.testing.assert_array_equal(outlined(tmp_path / name, geometry=PLACE), expected)

import numpy as np
import pytest

from hepatica.radiology.phantom.enhancement import ATTENUATION, Tissue, curves, in_pictures, later


def test_every_tissue_has_its_curve() -> None:
    assert set(ATTENUATION) == set(Tissue)


def test_organs_enhance_in_the_order_contrast_reaches_them() -> None:
    peak = {tissue: int(np.argmax(ATTENUATION[tissue])) for tissue in Tissue}
    assert (peak[Tissue.AORTA], peak[Tissue.PORTAL_VEIN], peak[Tissue.LIVER]) == (1, 2, 2)
    assert (peak[Tissue.KIDNEY_CORTEX], peak[Tissue.KIDNEY_MEDULLA]) == (2, 3)


def test_scanning_later_moves_each_enhanced_phase_towards_the_next() -> None:
    assert later((50, 100, 200, 150), share=0.2) == pytest.approx((50, 120, 190, 150))
    assert later((50, 100, 200, 150), share=0) == (50, 100, 200, 150)


def test_labels_become_hounsfield_units() -> None:
    labels = np.array([[[Tissue.AIR, Tissue.LIVER]]], dtype=np.uint8)
    assert in_pictures(labels, curves(late=0))[:, 0, 0].tolist() == [
        [-1000, 57],
        [-1000, 72],
        [-1000, 110],
        [-1000, 97],
    ]

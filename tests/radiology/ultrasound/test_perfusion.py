"""Perfusion: the features of a curve drawn by hand."""

import numpy as np

from hepatica.radiology.ultrasound.perfusion import NAMES, time_intensity


def test_a_lesion_that_comes_early_and_fades_against_a_steady_liver() -> None:
    """Lesion 10, 50, 110, 90, 60 at 0, 10, 20, 40, 70 s, liver 20, 20, 80, 100, 100: a rise of 100 in 20 s, a fall of
    50 in 50 s, 54 above the baseline on average; 30 above the liver at the peak, 40 below it at the end.
    """
    lesion = np.zeros((4, 4), bool)
    lesion[1:3, 1:3] = True
    inside, around = np.array([10, 50, 110, 90, 60]), np.array([20, 20, 80, 100, 100])
    cine = np.where(lesion, inside[:, None, None], around[:, None, None]).astype(np.uint8)
    found = time_intensity(cine, lesion=lesion, seconds=np.array([0.0, 10, 20, 40, 70]))
    expected = {
        "baseline": 10, "peak": 110, "seconds_to_peak": 20, "wash_in": 5, "wash_out": 1, "area": 54,
        "peak_above_liver": 30, "end_above_liver": -40,
    }  # fmt: skip
    np.testing.assert_allclose(found, [expected[name] for name in NAMES], rtol=1e-6)


def test_a_peak_at_the_end_has_no_wash_out() -> None:
    cine = np.array([10, 20, 30], np.uint8)[:, None, None].repeat(2, axis=1).repeat(2, axis=2)
    found = dict(zip(NAMES, time_intensity(cine, lesion=np.ones((2, 2), bool), seconds=np.arange(3.0)), strict=True))
    assert found["wash_out"] == 0
    assert found["wash_in"] == 10

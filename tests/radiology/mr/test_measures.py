"""Measures: an abdomen is told from a head by its outline, whatever the scanner's scale."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort.applicability import judge, learn_domain
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.scans import find_scans
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.mr.measures import TOLERANCES, measured


def volume(seed, *, across=330, deep=230, scale=1.0):
    """An ellipse of these mm, grainy, a darker organ on its right, in air; voxels of 3 mm."""
    rng = np.random.default_rng(seed)
    y, x = (np.mgrid[:120, :140] - [[[59.5]], [[69.5]]]) * 3.0
    inside = (x / across * 2) ** 2 + (y / deep * 2) ** 2 < 1
    organ = ((x + across / 5) / across * 4) ** 2 + (y / deep * 3) ** 2 < 1
    values = np.where(inside, 300.0, 5.0) - 120 * (organ & inside) + rng.normal(0, 8, (4, 120, 140))
    geometry = Geometry(shape=(4, 120, 140), spacing=(6.0, 3.0, 3.0), origin=(0.0, 0.0, 0.0))
    return Volume(
        values=(scale * values).astype(np.float32), geometry=geometry, units="signal", measured=np.ones(4, bool)
    )


def test_size_and_aspect_by_hand():
    found = measured(volume(0))
    assert found["body_cm2_log2"] == pytest.approx(np.log2(np.pi * 33 * 23 / 4), abs=0.05)
    assert found["body_aspect_log2"] == pytest.approx(np.log2(330 / 230), abs=0.05)


def test_neither_scale_nor_finer_pixels_count():
    fine = volume(0, scale=7.0)
    fine = replace(
        fine,
        values=fine.values.repeat(2, axis=1).repeat(2, axis=2),
        geometry=replace(fine.geometry, shape=(4, 240, 280), spacing=(6.0, 1.5, 1.5)),
    )
    one, other = measured(volume(0)), measured(fine)
    assert other == pytest.approx(one, abs=0.02)


def test_a_head_is_unusual_and_says_why():
    rows = {str(seed): measured(volume(seed, across=310 + 5 * seed)) for seed in range(8)}
    domain = learn_domain(pd.DataFrame.from_dict(rows, orient="index"), tolerances=TOLERANCES)
    new = {"abdomen": measured(volume(9)), "head": measured(volume(9, across=150, deep=190))}
    found = judge(pd.DataFrame.from_dict(new, orient="index"), domain=domain)
    assert found["applicability"].to_dict() == {"abdomen": "in_domain", "head": "unusual"}
    assert "body" in found.loc["head", "reason"]


def test_the_real_mr(real):
    found = measured(find_scans(real / "totalsegmentator/example_mr_sm.nii.gz", kind="mr").scans[0].read())
    assert 400 < 2 ** found["body_cm2_log2"] < 1200
    assert all(np.isfinite(list(found.values())))

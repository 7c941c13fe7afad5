"""Store: what lies beyond the ends of a scan is marked, and is not the black of air."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from hepatica.cohort import load_cohort
from hepatica.cohort.phantom import ABLATED
from hepatica.radiology.ablation.store import PairReading, prepare
from hepatica.radiology.phantom import PhantomSettings, phantom_ct
from hepatica.radiology.phase.together import read_phases
from hepatica.radiology.slicing import WINDOWS

SCANS = PhantomSettings(matrix=64, slices=20, thickness_mm=7)
TALL = PairReading(phase="portal venous", rigid=False, voxels=(44, 60, 60), voxel_mm=(7.0, 6.0, 6.0))


def test_voxels_that_a_scan_lacks_are_minus_one_in_both_and_those_of_air_are_not(tmp_path: Path) -> None:
    cohort = load_cohort(phantom_ct(tmp_path / "A", patients=1, seed=3, population=ABLATED, settings=SCANS))
    (specimen,) = cohort.specimens_of("ct")
    later = replace(specimen, path=specimen.attachments["after"], extra={})
    both = [read_phases(each, wanted=(TALL.phase,)).volumes[TALL.phase].geometry for each in (specimen, later)]
    window = WINDOWS["abdomen"]
    store = prepare([specimen], cohort.lesions, how=TALL, window=window, folder=tmp_path / "prepared")
    before, after, tumour, zone = np.moveaxis(store.read(np.array([0]))[0], -1, 0)
    (grid,) = store.geometries(np.array([0]))
    heights = grid.origin[2] + TALL.voxel_mm[0] * np.arange(TALL.voxels[0])
    low, high = max(each.origin[2] for each in both), min(each.origin[2] + 19 * 7 for each in both)
    beyond, within = (heights < low - 7) | (heights > high + 7), (heights > low + 7) & (heights < high - 7)
    assert beyond.sum() > 10
    assert within.sum() > 10
    lacking = before == -1
    assert np.array_equal(lacking, after == -1)
    assert lacking[beyond].all()
    assert not lacking[within].all(axis=(1, 2)).any()
    assert not (lacking & (np.maximum(tumour, zone) > 0.5)).any()
    assert (before[within] == 0).any()
    assert before[~lacking].min() == after[~lacking].min() == 0

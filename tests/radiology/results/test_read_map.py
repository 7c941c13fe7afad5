"""Read map: a saliency map that was written comes back on the voxels of its volume, however the files lie."""

import numpy as np
import pytest

from hepatica.cohort.errors import SpecimenError
from hepatica.protocol import ModelIdentity
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.results.derived_images import parametric_map, segmentation
from hepatica.radiology.results.evidence import evidence_of
from hepatica.radiology.results.read_map import images_of, read_map

MODEL = ModelIdentity(system="HCCNet", version="1", digest="ab" * 32, doi="10.1038/s41416-021-01511-w", note="")


@pytest.fixture
def series(ct):
    ct.write()
    (found,) = read_study(ct.folder).series
    return found


@pytest.fixture
def values(series):
    found = np.random.default_rng(0).random(series.geometry.shape).astype(np.float32)
    found[[0, 3]] = 0  # slices without a map are left out of the file
    return found


@pytest.fixture
def path(series, values, tmp_path):
    parametric_map(values, evidence=evidence_of(series), model=MODEL).save_as(tmp_path / "map.dcm")
    return tmp_path / "map.dcm"


def test_a_map_comes_back_to_the_bit(series, values, path):
    assert np.array_equal(read_map(path, geometry=series.geometry), values)


def test_a_map_of_another_place_is_refused(series, path):
    from dataclasses import replace

    x, y, z = series.geometry.origin
    with pytest.raises(SpecimenError, match="beside the volume"):
        read_map(path, geometry=replace(series.geometry, origin=(x, y, z + 500)))


def test_results_say_of_which_images_they_are(series, values, path, tmp_path):
    segmentation({"flagged": values > 0.5}, evidence=evidence_of(series), model=MODEL).save_as(tmp_path / "seg.dcm")
    own = {each.instance for each in series.headers}
    assert images_of(path) <= own
    assert images_of(tmp_path / "seg.dcm") <= own
    assert images_of(path)


def test_a_damaged_map_is_refused(tmp_path, series):
    (tmp_path / "x.dcm").write_bytes(b"no map")
    with pytest.raises(SpecimenError):
        read_map(tmp_path / "x.dcm", geometry=series.geometry)

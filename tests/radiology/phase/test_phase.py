"""Phase: header and image, each alone, agreeing and contradicting."""

from dataclasses import replace

import pytest

from hepatica.radiology.dicom.scans import find_scans
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.dicom.volume import read_volume
from hepatica.radiology.liver.liver import find_liver
from hepatica.radiology.phantom import phantom_ct
from hepatica.radiology.phantom.enhancement import PHASES
from hepatica.radiology.phase.phase import CERTAIN, Phase, contrast_phase


@pytest.fixture(scope="module", params=["A", "B"])
def phantom(request, tmp_path_factory):
    """The four series of one phantom patient of a hospital, by true phase, each with its volume."""
    folder = tmp_path_factory.mktemp("phantom")
    phantom_ct(folder, patients=1, seed=4, hospital=request.param)
    found = read_study(folder / "studies").series
    return {PHASES[int(each.dataset().SeriesNumber) - 1]: (each, read_volume(each)) for each in found}


def named(ct, description, **tags):
    """A series of that name whose pixels show nothing."""
    ct.write(SeriesDescription=description, **tags)
    (series,) = read_study(ct.folder).series
    return series


@pytest.mark.parametrize("phase", PHASES)
def test_the_phantoms_phases_by_header_and_image(phantom, phase):
    series, volume = phantom[phase]
    found = contrast_phase(find_liver(volume), series=series)
    assert (found.name, found.source) == (phase, "tags")
    assert found.confidence > 0.8


@pytest.mark.parametrize("phase", PHASES[:3])
def test_the_phantoms_phases_by_image_alone(phantom, phase):
    found = contrast_phase(find_liver(phantom[phase][1]), series=None)
    assert (found.name, found.source) == (phase, "image")


def test_delayed_by_image_alone_is_delayed_or_unknown_but_nothing_else(phantom):
    assert contrast_phase(find_liver(phantom["delayed"][1]), series=None).name in {"delayed", "unknown"}


def test_a_clear_image_outweighs_an_abbreviation_and_says_so(phantom, ct):
    found = contrast_phase(find_liver(phantom["plain"][1]), series=named(ct, "CT SECRET AP"))
    assert (found.name, found.source) == ("plain", "image")
    assert found.notes == ("the header says arterial, the image plain",)


def test_a_clear_name_and_a_clear_image_that_disagree_leave_less_certainty(phantom, ct):
    found = contrast_phase(find_liver(phantom["plain"][1]), series=named(ct, "Delayed SECRET"))
    assert found.confidence < 0.75
    assert "the header says delayed, the image plain" in found.notes
    assert "SECRET" not in repr(found)


def test_pictures_have_their_header_only(phantom, ct):
    volume = replace(phantom["arterial"][1], units="grey")
    assert contrast_phase(find_liver(volume), series=None) == Phase(
        name="unknown",
        confidence=0.0,
        source="image",
        notes=("neither header nor image tell the contrast phase",),
    )
    assert contrast_phase(find_liver(volume), series=named(ct, "Portal")).name == "portal venous"


def test_neither_name_nor_image(ct):
    series = named(ct, "5mm")
    found = contrast_phase(find_liver(read_volume(series)), series=series)
    assert (found.name, found.confidence, found.source) == ("unknown", 0.0, "image")


def test_what_is_uncertain_is_unknown_and_a_note_says_what_it_may_be(ct):
    series = named(ct, "5mm", ContrastBolusStartTime="100000", AcquisitionTime="100046")
    found = contrast_phase(find_liver(read_volume(series)), series=series)
    assert (found.name, found.source) == ("unknown", "tags")
    assert 0.5 < found.confidence < CERTAIN
    assert found.notes == ("the contrast phase is uncertain, perhaps arterial",)


def test_real_series_by_the_time_since_injection_and_the_image(real):
    scan = find_scans(real / "totalsegmentator/dicom").scans[0]
    found = contrast_phase(find_liver(scan.read()), series=scan.series)
    assert (found.name, found.source) == ("portal venous", "tags")  # 96 s after injection
    assert found.confidence > 0.9


def test_real_slices_too_few_to_tell_are_unknown(real):
    (series,) = read_study(real / "dcmqi").series
    assert contrast_phase(find_liver(read_volume(series)), series=series).name == "unknown"

"""Phase image: what the brightness of blood, spleen and liver tells."""

from dataclasses import replace

import numpy as np
import pytest

from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.scans import find_scans
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.dicom.volume import Volume, read_volume
from hepatica.radiology.liver.liver import find_liver
from hepatica.radiology.phantom import phantom_ct
from hepatica.radiology.phantom.enhancement import PHASES
from hepatica.radiology.phase.phase import CERTAIN, Levels, Phase, contrast_phase, judged, measured, phase_from_image


def levels(aorta, cava, spleen, liver):
    return Levels(aorta=aorta, cava=cava, spleen=spleen, liver=liver)


def trunk(*, aorta, cava, spleen, liver, count=32) -> Volume:
    """Slices of 5 mm: fat, liver and cava on the right, spleen and aorta on the left, vertebrae with discs behind."""
    z, y, x = np.mgrid[:count, :100, :120]

    def ellipse(at_x, at_y, wide, deep):
        return ((x - at_x) / wide) ** 2 + ((y - at_y) / deep) ** 2 < 1

    values = np.where(ellipse(60, 50, 55, 42), -100, -1000)
    values[ellipse(60, 72, 9, 9)] = 250
    values[ellipse(60, 72, 9, 9) & (z % 7 < 2)] = 85
    values[ellipse(30, 48, 20, 26)] = liver
    values[ellipse(96, 58, 11, 18)] = spleen
    values[ellipse(66, 58, 4, 4)] = aorta
    values[ellipse(53, 57, 4, 4)] = cava
    values = values + np.random.default_rng(0).normal(0, 12, values.shape)
    geometry = Geometry(shape=values.shape, spacing=(5.0, 3.0, 3.0), origin=(0.0, 0.0, 0.0))
    return Volume(values=values.astype(np.float32), geometry=geometry, units="HU", measured=np.ones(count, bool))


TEXTBOOK = {
    "plain": levels(42, 42, 48, 55),
    "arterial": levels(280, 95, 120, 70),
    "portal venous": levels(160, 140, 118, 108),
    "delayed": levels(112, 112, 98, 95),
}


@pytest.mark.parametrize("phase", TEXTBOOK)
def test_each_phase_as_textbooks_have_it(phase):
    wanted = TEXTBOOK[phase]
    volume = trunk(aorta=wanted.aorta, cava=wanted.cava, spleen=wanted.spleen, liver=wanted.liver)
    found = measured(find_liver(volume))
    for organ in ("aorta", "spleen", "liver"):
        assert getattr(found, organ) == pytest.approx(getattr(wanted, organ), rel=0.1, abs=5), organ
    assert found.cava == pytest.approx(max(wanted.cava, wanted.liver), rel=0.1)
    guess = phase_from_image(find_liver(volume))
    assert guess.name == phase
    assert guess.confidence > 0.8


def test_between_portal_venous_and_delayed_nothing_is_sure():
    confidences = [judged(levels(aorta, aorta / 1.04, 105, 100)).confidence for aorta in (115, 136, 160)]
    assert confidences[1] == pytest.approx(0.5, abs=0.01)
    assert min(confidences[0], confidences[2]) > 0.7
    assert judged(levels(137, None, 105, 100)).name == "portal venous"
    assert judged(levels(135, None, 105, 100)).name == "delayed"


def test_a_dark_spleen_beside_bright_blood_is_a_contradiction():
    assert judged(levels(120, 110, 36, 48)) is None  # a vertebra taken for the aorta on plain CT
    assert judged(levels(120, 110, None, 48)).name == "arterial"


@pytest.mark.parametrize(("aorta", "phase"), [(290, "arterial"), (160, "portal venous")])
def test_a_fatty_liver_does_not_make_every_phase_arterial(aorta, phase):
    assert judged(levels(aorta, 0.6 * aorta, 118, 60)).name == phase


def test_without_aorta_nothing_is_said():
    assert judged(levels(None, 40, 45, 50)) is None


def test_too_few_slices_to_tell_blood_from_bone():
    volume = trunk(aorta=160, cava=140, spleen=118, liver=108, count=4)
    assert measured(find_liver(volume)).aorta is None
    assert phase_from_image(find_liver(volume)) is None


def test_without_liver_nothing_is_said():
    volume = trunk(aorta=160, cava=140, spleen=-100, liver=-100)
    assert phase_from_image(find_liver(volume)) is None


def test_real_series_are_what_their_organs_say(real):
    volume = find_scans(real / "totalsegmentator/dicom").scans[0].read()
    found = measured(find_liver(volume))
    assert found.aorta == pytest.approx(153, abs=3)  # medians within the public labels: 153, 80 and 94
    assert found.spleen == pytest.approx(80, abs=5)
    assert found.liver == pytest.approx(94, abs=5)
    assert phase_from_image(find_liver(volume)).name == "portal venous"  # the portal vein has 138, by the labels
    plain = find_scans(real / "totalsegmentator/example_ct.nii.gz").scans[0].read()
    assert phase_from_image(find_liver(plain)).name == "plain"


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
        notes=("neither header nor image gives the contrast phase",),
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

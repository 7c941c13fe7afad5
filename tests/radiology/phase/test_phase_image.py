"""Phase image: what the brightness of blood, spleen and liver tells."""

import numpy as np
import pytest

from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.scans import find_scans
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.liver.liver import find_liver
from hepatica.radiology.phase.phase_image import Levels, judged, measured, phase_from_image


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

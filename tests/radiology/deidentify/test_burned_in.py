"""Burned in: pixels and headers that may say who the patient is."""

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageDraw, ImageFont

from hepatica.radiology.deidentify.burned_in import suspect_header, text_like


def slice_with(text: str, *, size: int, at: tuple[int, int], value: float, smooth: bool = False) -> np.ndarray:
    """Noise of air around an ellipse of tissue, in HU, and a text in DejaVu Sans."""
    y, x = np.mgrid[:256, :256]
    inside = ((x - 128) / 100) ** 2 + ((y - 128) / 75) ** 2 < 1
    image = np.where(inside, 50.0, -1000.0) + np.random.default_rng(0).normal(0, 15, (256, 256))
    canvas = Image.new("L" if smooth else "1", (256, 256))
    ImageDraw.Draw(canvas).text(at, text, fill=255, font=ImageFont.load_default(size))
    drawn = np.asarray(canvas, float)
    return image + (value - image) * drawn / max(drawn.max(), 1)


@pytest.mark.parametrize("size", [10, 12, 16, 24])
@pytest.mark.parametrize("at", [(4, 4), (4, 220), (120, 4)])
@pytest.mark.parametrize("value", [400, 3000])
def test_text_at_the_border_is_found(size, at, value):
    assert text_like(slice_with("DOE^JOHN 1960", size=size, at=at, value=value))


@pytest.mark.parametrize("size", [10, 16, 24])
def test_smooth_text_is_found(size):
    assert text_like(slice_with("DOE^JOHN 1960", size=size, at=(4, 4), value=1000, smooth=True))


def test_dark_text_on_a_bright_strip_is_found():
    canvas = Image.new("1", (256, 24))
    ImageDraw.Draw(canvas).text((4, 2), "DOE^JOHN", fill=1, font=ImageFont.load_default(16))
    image = slice_with("", size=16, at=(4, 4), value=0)
    image[:24] = np.where(np.asarray(canvas), -1000, 1000)
    assert text_like(image)


def test_no_text_is_none():
    assert not text_like(slice_with("", size=16, at=(4, 4), value=0))
    assert not text_like(np.zeros((40, 40)))
    assert not text_like(np.random.default_rng(0).random((200, 200)))


def test_a_colour_picture_is_looked_at():
    text = slice_with("DOE^JOHN", size=16, at=(4, 4), value=400)
    assert text_like(np.stack([np.zeros_like(text), text, np.zeros_like(text)], axis=-1))


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"BurnedInAnnotation": "YES"}, "text is burned in"),
        ({"RecognizableVisualFeatures": "YES"}, "can be recognised"),
        ({"Modality": "US", "BurnedInAnnotation": "NO"}, "modality US"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "secondary capture"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "screen save"),
        ({"SamplesPerPixel": 3}, "colour image"),
    ],
)
def test_suspect_headers_are_told(ct, tags, message):
    (reason,) = suspect_header(ct.dataset(ct.body(count=1), **tags))
    assert message in reason


def test_an_overlay_in_the_pixels_is_noted(ct):
    dataset = ct.dataset(ct.body(count=1))
    dataset.add_new(0x60000102, "US", 12)
    assert "overlay" in suspect_header(dataset)[0]
    dataset[0x60000102].value = 0
    assert suspect_header(dataset) == ()


def test_a_plain_slice_is_not_suspect(ct):
    assert suspect_header(ct.dataset(ct.body(count=1), BurnedInAnnotation="NO")) == ()
    assert suspect_header(pydicom.Dataset()) == ()


@pytest.mark.parametrize("name", ["US1_UNCR", "gdcm-US-ALOKA-16"])
def test_text_in_real_ultrasound_is_found_by_the_pixels_alone(real, name):
    assert text_like(pydicom.dcmread(real / f"pydicom/{name}.dcm").pixel_array)


@pytest.mark.parametrize("name", ["pydicom/693_J2KR", "dcmqi/01", "dcmqi/02", "dcmqi/03"])
def test_real_ct_has_none(real, name):
    assert not text_like(pydicom.dcmread(real / f"{name}.dcm").pixel_array)

import numpy as np
import pytest

from hepatica.pathology.slide import open_slide
from hepatica.pathology.tissue import tissue_mask


def disc(size=200, radius=60):
    y, x = np.mgrid[:size, :size] - size / 2
    return y**2 + x**2 < radius**2


def slide(*, glass, tissue, noise=3, seed=0):
    pixels = np.where(disc()[..., None], tissue, glass)
    shake = np.random.default_rng(seed).integers(-noise, noise + 1, pixels.shape)
    return np.clip(pixels + shake, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("glass", [(255, 255, 255), (243, 243, 243), (200, 200, 200), (0, 0, 0), (238, 236, 232)])
@pytest.mark.parametrize("tissue", [(180, 100, 150), (236, 214, 226), (90, 60, 140), (240, 120, 160)])
def test_tissue_of_any_shade_on_any_glass(glass, tissue):
    mask = tissue_mask(slide(glass=glass, tissue=tissue))
    assert np.mean(mask == disc()) > 0.98


def test_pale_and_dark_tissue_on_one_slide():
    pixels = slide(glass=(244, 244, 244), tissue=(90, 50, 140))
    pixels[10:60, 10:60] = (238, 214, 228)
    mask = tissue_mask(pixels)
    assert mask[12:58, 12:58].all()
    assert mask[100, 100]


@pytest.mark.parametrize("grey", [0, 128, 200, 255])
def test_no_tissue_is_all_false(grey):
    noise = np.random.default_rng(0).integers(-3, 4, (120, 160, 3))
    pixels = np.clip(grey + noise, 0, 255).astype(np.uint8)
    assert not tissue_mask(pixels).any()
    assert not tissue_mask(np.full((120, 160, 3), grey, np.uint8)).any()


def test_scanner_border_is_no_tissue():
    pixels = slide(glass=(244, 244, 244), tissue=(180, 100, 150))
    pixels[:, :25] = (3, 2, 4)
    pixels[:20] = (150, 150, 150)
    mask = tissue_mask(pixels)
    assert not mask[:, :24].any()
    assert not mask[:19].any()
    assert mask[100, 100]


def test_nothing_but_tissue_is_all_true():
    pixels = slide(glass=(225, 150, 190), tissue=(95, 60, 140), noise=10)
    assert tissue_mask(pixels).all()


def test_dust_goes_and_pinholes_close():
    pixels = slide(glass=(244, 244, 244), tissue=(180, 100, 150))
    pixels[5, 5] = (120, 20, 160)
    pixels[100, 100] = (244, 244, 244)
    mask = tissue_mask(pixels)
    assert not mask[:20, :20].any()
    assert mask[100, 100]


def test_turning_the_slide_turns_the_mask():
    pixels = slide(glass=(244, 244, 244), tissue=(230, 170, 200))[:150]
    assert np.array_equal(tissue_mask(np.rot90(pixels)), np.rot90(tissue_mask(pixels)))


def test_input_is_left_alone():
    pixels = slide(glass=(244, 244, 244), tissue=(230, 170, 200))
    pixels.setflags(write=False)
    tissue_mask(pixels)


def test_real_slide(real):
    with open_slide(real / "pathology" / "CMU-1-Small-Region.svs") as opened:
        mask = tissue_mask(opened.thumbnail(longest=371))
    assert 0.3 < mask.mean() < 0.45  # looked at: the section covers a good third
    assert mask[100:, :60].mean() < 0.05  # glass on the left but for one thin strand

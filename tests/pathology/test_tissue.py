import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from hepatica.pathology.slide import open_slide
from hepatica.pathology.stain import REFERENCE
from hepatica.pathology.tissue import appearance, find_tissue


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
    mask = find_tissue(slide(glass=glass, tissue=tissue)).tissue
    assert np.mean(mask == disc()) > 0.98


def test_pale_and_dark_tissue_on_one_slide():
    pixels = slide(glass=(244, 244, 244), tissue=(90, 50, 140))
    pixels[10:60, 10:60] = (238, 214, 228)
    mask = find_tissue(pixels).tissue
    assert mask[12:58, 12:58].all()
    assert mask[100, 100]


@pytest.mark.parametrize("glass", [(242, 232, 222), (236, 240, 243)])
@pytest.mark.parametrize("padding", [0, 40])
def test_tinted_glass_gives_the_tissue_of_neutral_glass(glass, padding):
    """Also where the scanner put white around what it scanned."""
    neutral = slide(glass=(243, 243, 243), tissue=(236, 214, 226))
    neutral[80:120, 80:120] = (90, 60, 140)
    tinted = np.rint(neutral * (np.array(glass) / 243)).clip(0, 255).astype(np.uint8)
    neutral[:padding], tinted[:padding] = 255, 255
    found = find_tissue(tinted).tissue
    assert np.mean(found == find_tissue(neutral).tissue) > 0.995
    assert np.mean(found == disc()) > 0.98


@pytest.mark.parametrize("grey", [0, 128, 200, 255])
def test_no_tissue_is_all_false(grey):
    noise = np.random.default_rng(0).integers(-3, 4, (120, 160, 3))
    pixels = np.clip(grey + noise, 0, 255).astype(np.uint8)
    assert not find_tissue(pixels).tissue.any()
    assert not find_tissue(np.full((120, 160, 3), grey, np.uint8)).tissue.any()


def test_scanner_border_is_no_tissue():
    pixels = slide(glass=(244, 244, 244), tissue=(180, 100, 150))
    pixels[:, :25] = (3, 2, 4)
    pixels[:20] = (150, 150, 150)
    mask = find_tissue(pixels).tissue
    assert not mask[:, :24].any()
    assert not mask[:19].any()
    assert mask[100, 100]
    assert not find_tissue(pixels).ink.any()


def test_nothing_but_tissue_is_all_true():
    pixels = slide(glass=(225, 150, 190), tissue=(95, 60, 140), noise=10)
    assert find_tissue(pixels).tissue.all()


def test_dust_goes_and_pinholes_close():
    pixels = slide(glass=(244, 244, 244), tissue=(180, 100, 150))
    pixels[5, 5] = (120, 20, 160)
    pixels[100, 100] = (244, 244, 244)
    mask = find_tissue(pixels).tissue
    assert not mask[:20, :20].any()
    assert mask[100, 100]


def test_turning_the_slide_turns_the_mask():
    pixels = slide(glass=(244, 244, 244), tissue=(230, 170, 200))[:150]
    assert np.array_equal(find_tissue(np.rot90(pixels)).tissue, np.rot90(find_tissue(pixels).tissue))


def test_input_is_left_alone():
    pixels = slide(glass=(244, 244, 244), tissue=(230, 170, 200))
    pixels.setflags(write=False)
    find_tissue(pixels)


def test_real_slide(real):
    with open_slide(real / "pathology" / "CMU-1-Small-Region.svs") as opened:
        mask = find_tissue(opened.thumbnail(longest=371)).tissue
    assert 0.3 < mask.mean() < 0.45  # looked at: the section covers a good third
    assert mask[100:, :60].mean() < 0.05  # glass on the left but for one thin strand


INKS = {  # colours of thick marker ink
    "green": (45, 165, 135),
    "light green": (90, 190, 60),
    "blue": (40, 70, 190),
    "light blue": (60, 150, 220),
    "red": (215, 40, 45),
    "yellow": (250, 220, 40),
    "brown": (140, 100, 40),
    "black": (25, 25, 30),
}


def draw(pixels, strokes, *, ink, seed=0):
    """The slide under a felt pen: light passes twice, edges are soft, and the ink does not lie evenly."""
    uneven = gaussian_filter(np.random.default_rng(seed).random(strokes.shape), 12)
    thickness = gaussian_filter(strokes.astype(float), 5) * (0.4 + 0.8 * (uneven - uneven.min()) / np.ptp(uneven))
    light = np.exp(np.log(np.array(ink) / 255) * thickness[..., None])
    shake = np.random.default_rng(seed).integers(-2, 3, pixels.shape)
    return np.clip(pixels * light + shake, 0, 255).astype(np.uint8)


def ring(size=400, radius=150, width=40):
    y, x = np.mgrid[:size, :size] - size / 2
    return np.abs(np.hypot(y, x) - radius) < width / 2


@pytest.mark.parametrize("ink", INKS)
def test_pen_alone_is_no_tissue(ink):
    glass = np.full((400, 400, 3), 243, np.uint8)
    pieces = find_tissue(draw(glass, ring(), ink=INKS[ink]))
    assert not pieces.tissue.any()
    assert pieces.ink.mean() > 0.15  # the ring covers 0.24, its edges run out


@pytest.mark.parametrize("ink", INKS)
def test_tissue_inside_a_ring_of_ink_and_under_a_line_across_it_is_kept(ink):
    pixels = np.full((400, 400, 3), 243, np.uint8)
    tissue = disc(size=400, radius=100)
    nuclei = np.random.default_rng(1).random((400, 400)) < 0.2
    pixels[tissue], pixels[tissue & nuclei] = (225, 150, 190), (95, 60, 140)
    strokes = ring()
    strokes[180:200] = True
    mask = find_tissue(draw(pixels, strokes, ink=INKS[ink])).tissue
    clear = ~(gaussian_filter(strokes.astype(float), 8) > 0.02)
    assert mask[tissue & clear].mean() > 0.98
    assert mask[~tissue & clear].mean() < 0.02
    assert mask[~tissue].mean() < 0.05


def test_pen_alone_is_no_tissue_on_a_large_thumbnail():
    """Which is looked at for ink with fewer pixels."""
    glass = np.full((2200, 2200, 3), 243, np.uint8)
    pieces = find_tissue(draw(glass, ring(size=2200, radius=800, width=200), ink=INKS["green"]))
    assert not pieces.tissue.any()
    assert pieces.ink.mean() == pytest.approx(np.pi * (0.9**2 - 0.7**2) * 1000**2 / 2200**2, rel=0.1)


def test_stains_of_a_real_slide_are_not_taken_for_ink(real):
    pictures = [each for each in sorted((real / "pathology" / "dsb2018_he").glob("*.png")) if "label" not in each.name]
    found = [find_tissue(np.asarray(Image.open(each).convert("RGB"))) for each in pictures]
    lost = [each.ink.mean() / max(each.ink.mean() + each.tissue.mean(), 1e-9) for each in found]
    assert len(lost) == 107
    assert np.mean(lost) < 0.003  # 0.002 when it was measured
    assert np.max(lost) < 0.12  # a picture of blue nuclei, little else
    target = find_tissue(np.asarray(Image.open(real / "pathology" / "tiatoolbox_target_image.png").convert("RGB")))
    assert target.tissue.mean() > 0.95
    assert not target.ink.any()


def test_case_of_a_green_pen(real):
    path = real.parent / "cases" / "pathology" / "no-tissue-green-pen.png"
    if not path.exists():
        pytest.skip("no folder of cases beside HEPATICA_DATA")
    pen, generator = np.asarray(Image.open(path).convert("RGB")), np.random.default_rng(0)
    assert find_tissue(pen).ink.mean() > 0.7
    for side in generator.integers(96, 512, 40):
        y, x = generator.integers(0, 513 - side, 2)
        assert not find_tissue(pen[y : y + side, x : x + side]).tissue.any()


@pytest.mark.parametrize("ink", ["red", "blue", "black"])
def test_kin_of_that_case(real, ink):
    path = real.parent / "cases" / "pathology" / "no-tissue-green-pen.png"
    if not path.exists():
        pytest.skip("no folder of cases beside HEPATICA_DATA")
    pen = np.asarray(Image.open(path).convert("RGB")).clip(1)
    amount = np.log(pen / 243).min(axis=-1, keepdims=True).clip(max=0) / np.log(45 / 255)
    pieces = find_tissue(np.rint(243 * np.exp(np.log(np.array(INKS[ink]) / 255) * amount)).astype(np.uint8))
    assert not pieces.tissue.any()
    assert pieces.ink.mean() > 0.7


def test_folds_have_more_of_both_stains():
    """Tissue in two layers has the square of the light; a crowd of nuclei has haematoxylin alone."""
    y, x = np.mgrid[:200, :200]
    stains = np.where(disc()[..., None], (0.3, 0.6), 0.0)
    stains[disc() & (x % 8 < 4) & (y % 8 < 4)] = (1.2, 0.6)
    once = np.rint(255 * np.exp(-stains @ REFERENCE.matrix)).astype(np.uint8)
    crowd, folded = disc() & (np.hypot(x - 70, y - 100) < 15), disc() & (abs(x - 120) < 10)
    stains[crowd] = (1.2, 0.6)
    stains[folded] *= 2
    pixels = np.rint(255 * np.exp(-stains @ REFERENCE.matrix)).astype(np.uint8)
    fold = find_tissue(pixels).fold
    assert fold[folded].mean() > 0.6
    assert fold[~(abs(x - 120) < 15)].mean() < 0.01
    assert not find_tissue(once).fold.any()
    share = fold.sum() / find_tissue(pixels).tissue.sum()
    assert appearance(pixels, find_tissue(pixels))["fold_share"] == pytest.approx(share)


def test_appearance_is_of_the_tissue():
    pixels = slide(glass=(244, 244, 244), tissue=(240, 120, 160), noise=0)
    looks = appearance(pixels, find_tissue(pixels))
    assert looks["tissue_share"] == pytest.approx(disc().mean(), abs=0.02)
    assert looks["ink_share"] == 0
    assert looks["hue_degrees"] == pytest.approx(340, abs=1)
    assert looks["saturation"] == pytest.approx(0.5, abs=0.02)
    none = appearance(pixels[:20, :20], find_tissue(pixels[:20, :20]))
    assert np.isnan([none["hue_degrees"], none["saturation"]]).all()

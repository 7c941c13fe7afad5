import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from slide_formats import write_svs

from hepatica.cohort.errors import SpecimenError
from hepatica.pathology.slide import extent, open_slide


def test_native_resolution_gives_the_files_own_pixels(slides):
    pixels = slides.picture()
    for tiled in (True, False):
        with open_slide(slides.tiff(pixels, tiled=tiled)) as slide:
            assert slide.size == (640, 512)
            assert slide.mpp == pytest.approx(0.5)
            assert np.array_equal(slide.read((130, 77), side=224, mpp=0.5), pixels[77:301, 130:354])


def test_resolution_equal_to_a_percent_is_not_blurred(slides):
    pixels = slides.picture()
    with open_slide(slides.tiff(pixels, mpp=0.499)) as slide:
        assert np.array_equal(slide.read((10, 20), side=64, mpp=0.5), pixels[20:84, 10:74])


def test_half_resolution_is_the_antialiased_half(slides):
    pixels = slides.picture()
    with open_slide(slides.tiff(pixels)) as slide:
        tile = slide.read((0, 0), side=256, mpp=1.0)
    expected = np.asarray(Image.fromarray(pixels).resize((320, 256), Image.Resampling.BILINEAR))
    assert np.array_equal(tile, expected[:, :256])


def test_antialiasing_averages_a_checkerboard(slides):
    board = np.repeat(((np.indices((256, 256)).sum(0) % 2) * 255).astype(np.uint8)[..., None], 3, axis=2)
    with open_slide(slides.tiff(board)) as slide:
        tile = slide.read((32, 32), side=48, mpp=2.0)
    assert np.abs(tile.astype(int) - 127).max() <= 2


def test_coarser_level_is_used_where_it_is_fine_enough(slides):
    with open_slide(slides.pyramid(slides.picture(width=1024, height=768))) as slide:
        read = []
        region = slide._reader.region
        slide._reader.region = lambda box, *, level: read.append(level) or region(box, level=level)
        for mpp in (0.25, 0.5, 0.75, 1.0, 1.5, 2.0):
            slide.read((100, 100), side=64, mpp=mpp)
    assert read == [0, 0, 0, 1, 1, 2]


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(x=st.integers(-300, 1200), y=st.integers(-300, 900), mpp=st.sampled_from([0.25, 0.5, 0.7, 1.0, 1.3, 2.0]))
def test_any_tile_shows_its_own_place(slides, x, y, mpp):
    """A picture whose red is its column and green its row: each tile must show the ramp of its place, white outside."""
    ramp = np.zeros((768, 1020, 3), np.uint8)
    ramp[..., 0] = np.arange(1020) // 4
    ramp[..., 1] = np.arange(768)[:, None] // 4
    path = slides.folder / "ramp.tif"
    if not path.exists():
        slides.tiff(ramp, name="ramp.tif")
    with open_slide(path) as slide:
        tile = slide.read((x, y), side=32, mpp=mpp).astype(float)
    centre = (np.arange(32) + 0.5) * mpp / 0.5
    margin = 2 * mpp / 0.5 + 1
    inside_x = (x + centre > margin) & (x + centre < 1020 - margin)
    inside_y = (y + centre > margin) & (y + centre < 768 - margin)
    inside = tile[np.ix_(inside_y, inside_x)]
    assert np.abs(inside[..., 0] - (x + centre[inside_x])[None] / 4).max(initial=0) < 1.2
    assert np.abs(inside[..., 1] - (y + centre[inside_y])[:, None] / 4).max(initial=0) < 1.2
    outside = (x + centre < -margin) | (x + centre > 1020 + margin)
    assert (tile[:, outside] == 255).all()


def test_edge_of_the_slide_does_not_bleed_white(slides):
    dark = np.full((384, 512, 3), 40, np.uint8)
    with open_slide(slides.tiff(dark)) as slide:
        assert (slide.read((0, 0), side=128, mpp=1.0) == 40).all()
        assert (slide.read((512 - 288, 384 - 288), side=128, mpp=1.125) == 40).all()
        assert (slide.thumbnail(longest=100) == 40).all()


@pytest.mark.parametrize(
    ("longest", "size"), [(64, (64, 48)), (333, (333, 250)), (1000, (1000, 750)), (5000, (1000, 750))]
)
def test_thumbnail_keeps_shape_and_never_enlarges(slides, longest, size):
    pixels = slides.picture(width=1000, height=750)
    with open_slide(slides.pyramid(pixels)) as slide:
        thumbnail = slide.thumbnail(longest=longest)
    assert thumbnail.shape == (*size[::-1], 3)
    expected = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX)).astype(int)
    assert np.abs(thumbnail - expected).mean() < 6


def test_thumbnail_in_bands_equals_thumbnail_at_once(slides, monkeypatch):
    with open_slide(slides.tiff(slides.picture())) as slide:
        whole = slide.thumbnail(longest=200)
        monkeypatch.setattr("hepatica.pathology.slide._BAND", 20_000)
        assert np.abs(slide.thumbnail(longest=200).astype(int) - whole).max() <= 1


SAID = [  # of the file: mpp and objective; given, forced: what is used, how it is known, what is noted
    (None, None, 0.25, False, 0.25, "given", ""),
    (0.5, None, None, False, 0.5, "file", ""),
    (0.5, None, 0.51, False, 0.5, "file", ""),
    (0.5, None, 0.25, False, 0.5, "file", "the file has 0.5 micrometres per pixel, which is used, not the 0.25 given"),
    (0.5, None, 0.25, True, 0.25, "forced", "0.25 was forced, although the file has 0.5 micrometres per pixel"),
    (0.5, None, 0.5, True, 0.5, "forced", ""),
    (352.8, None, 0.25, False, 0.25, "given", "0.25 was given, since got 352.8 micrometres per pixel (72 dpi"),
    (0.499, 20, None, False, 0.499, "file", ""),
    (0.22, 20, None, False, 0.22, "file", ""),
    (
        0.635,
        40,
        0.25,
        False,
        0.25,
        "given",
        "0.25 was given, since the file has 0.635 micrometres per pixel under a 40x",
    ),
    (0, 20, 0.5, False, 0.5, "given", ""),
    (0.25, 40, 1.0, True, 1.0, "forced", "1 was forced, although the file has 0.25"),
]


def scanned(slides, mpp, power):
    if power is None:
        return slides.tiff(slides.picture(), mpp=mpp)
    return write_svs(slides.folder / "a.svs", slides.picture(), mpp=mpp, power=power)


@pytest.mark.parametrize(("said", "power", "given", "force", "used", "known", "note"), SAID)
def test_file_that_knows_its_resolution_is_overridden_by_force_alone(
    slides, said, power, given, force, used, known, note
):
    with open_slide(scanned(slides, said, power), mpp=given, force=force) as slide:
        assert (slide.mpp, slide.mpp_known) == (pytest.approx(used), known)
        assert slide.note.startswith(note)
        assert bool(slide.note) == bool(note)


@pytest.mark.parametrize(
    ("mpp", "power", "given"), [(0.635, 40, None), (0.0984, 40, None), (0, 40, 0.635), (1.27, 20, 1.27)]
)
def test_resolution_that_the_objective_cannot_give_is_refused(slides, mpp, power, given):
    """Inches were taken for centimetres, or the reverse."""
    with pytest.raises(SpecimenError, match=rf"micrometres per pixel under a {power}x objective|wanted 0.1 to 4"):
        open_slide(scanned(slides, mpp, power), mpp=given)


@pytest.mark.parametrize("mpp", [0, -0.5, "nan", "inf", "unknown"])
def test_resolution_that_is_no_number_above_nought_counts_as_unknown(slides, mpp):
    with pytest.raises(SpecimenError, match="does not state its micrometres"):
        open_slide(scanned(slides, mpp, 20))


@pytest.mark.parametrize("tiled", [True, False])
def test_absent_resolution_says_how_to_give_it(slides, tiled):
    with pytest.raises(SpecimenError, match=r"does not state its micrometres.*column `mpp` of specimens.csv.*--mpp"):
        open_slide(slides.tiff(slides.picture(), mpp=None, tiled=tiled))


@pytest.mark.parametrize("tiled", [True, False])
def test_screen_resolution_is_refused(slides, tiled):
    path = slides.tiff(slides.picture(), mpp=25400 / 72, tiled=tiled)
    with pytest.raises(SpecimenError, match=r"got 352.8 micrometres per pixel \(72 dpi.*wanted 0.1 to 4.0.*--mpp"):
        open_slide(path)


@pytest.mark.parametrize("mpp", [0.0, -0.5, 0.05, 4.1, float("nan")])
def test_implausible_override_is_refused(slides, mpp):
    with pytest.raises(SpecimenError, match=r"wanted 0.1 to 4.0"):
        open_slide(slides.tiff(slides.picture()), mpp=mpp)


def test_unequal_resolution_is_refused(slides):
    path = slides.folder / "flat.png"
    Image.fromarray(slides.picture()).save(path, dpi=(50800, 25400))
    with pytest.raises(SpecimenError, match=r"0.5 micrometres per pixel horizontally but 1 vertically"):
        open_slide(path)


def test_extent():
    assert extent(side=224, mpp=0.5, native=0.25) == 448
    assert extent(side=224, mpp=0.5, native=0.499) == 224
    assert extent(side=224, mpp=0.5, native=0.4) == pytest.approx(280)


def test_real_slide(real):
    with open_slide(real / "pathology" / "CMU-1-Small-Region.svs") as slide:
        assert slide.size == (2220, 2967)
        assert slide.mpp == pytest.approx(0.499)
        assert slide.thumbnail(longest=300).shape == (300, 224, 3)


def test_real_plain_image_needs_and_takes_its_resolution(real):
    path = real / "pathology" / "tiatoolbox_target_image.png"
    with pytest.raises(SpecimenError, match="mpp"):
        open_slide(path)
    with open_slide(path, mpp=0.5) as slide:
        expected = np.asarray(Image.open(path).convert("RGB"))[100:324, 50:274]
        assert np.array_equal(slide.read((50, 100), side=224, mpp=0.5), expected)

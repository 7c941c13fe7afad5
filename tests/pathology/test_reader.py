import re
from contextlib import closing

import numpy as np
import openslide
import pydicom
import pytest
import pyvips
import tifffile
from PIL import Image
from slide_formats import write_dicom, write_mirax, write_svs

from hepatica.cohort.errors import SpecimenError
from hepatica.pathology import reader
from hepatica.pathology.reader import Box, OpenSlideReader, PlainReader, open_reader
from hepatica.pathology.slide_files import VENDOR_SUFFIXES


def tiles_of(opened, side=128):
    width, height = opened.sizes[0]
    return [Box(x, y, side, side) for y in range(0, height - side, side) for x in range(0, width - side, side)]


def bare(path, box):
    region = openslide.OpenSlide(path).read_region((box.x, box.y), 0, (box.width, box.height))
    return np.asarray(region.convert("RGB"))


def test_jpeg_pyramid_gives_openslides_pixels_through_libvips(slides):
    path = slides.pyramid(slides.picture())
    opened = open_reader(path)
    for box in tiles_of(opened):
        assert np.array_equal(opened.region(box, level=0), bare(path, box))
    assert opened._fast is not None
    assert opened._proofs == reader._PROOFS


def test_real_slide_gives_openslides_pixels_through_libvips(real):
    path = real / "pathology" / "CMU-1-Small-Region.svs"
    opened = open_reader(path)
    for box in tiles_of(opened, side=224)[:40]:
        assert np.array_equal(opened.region(box, level=0), bare(path, box))
    assert opened._fast is not None


def test_libvips_is_dropped_at_the_first_pixel_that_differs(slides, monkeypatch):
    path = slides.pyramid(slides.picture())
    fetch = reader._fetch
    monkeypatch.setattr(reader, "_fetch", lambda region, box: fetch(region, box) ^ 1)
    opened = open_reader(path)
    box = Box(128, 128, 128, 128)
    assert np.array_equal(opened.region(box, level=0), bare(path, box))
    assert opened._fast is None


def test_libvips_is_dropped_when_it_fails(slides, monkeypatch):
    path = slides.pyramid(slides.picture())

    def fail(region, box):
        raise pyvips.Error("no")

    opened = open_reader(path)
    monkeypatch.setattr(reader, "_fetch", fail)
    box = Box(0, 0, 64, 32)
    assert np.array_equal(opened.region(box, level=0), bare(path, box))
    assert opened._fast is None


def test_tile_left_out_of_the_file_is_white(slides):
    path = slides.tiff(slides.picture())
    with tifffile.TiffFile(path, mode="r+b") as file:
        for name in ("TileByteCounts", "TileOffsets"):
            tag = file.pages[0].tags[name]
            tag.overwrite([*tag.value[:7], 0, *tag.value[8:]])
    opened = open_reader(path)
    assert opened._fast is None
    box = Box(2 * 128, 128, 128, 128)  # the eighth of five tiles a row
    assert (opened.region(box, level=0) == 255).all()
    assert np.array_equal(opened.region(box._replace(x=0), level=0), slides.picture()[128:256, :128])


def test_levels_of_a_pyramid(slides):
    opened = open_reader(slides.pyramid(slides.picture(width=640, height=512)))
    assert opened.sizes[:3] == ((640, 512), (320, 256), (160, 128))
    assert opened.downsamples[:3] == (1, 2, 4)
    assert opened.resolution == pytest.approx((0.5, 0.5))
    whole = opened.region(Box(0, 0, 320, 256), level=1).astype(int)
    halved = np.asarray(Image.fromarray(opened.region(Box(0, 0, 640, 512), level=0)).reduce(2)).astype(int)
    assert np.abs(whole - halved).mean() < 3


@pytest.mark.parametrize(("unit", "planes"), [("µm", False), ("nm", True)])
def test_levels_and_resolution_of_an_ome_tiff_lie_in_subifds_and_xml(slides, unit, planes):
    pixels = slides.picture()
    with closing(open_reader(slides.ome(pixels, unit=unit, planes=planes))) as reader:
        assert reader.sizes == ((640, 512), (320, 256), (160, 128))
        assert reader.downsamples == (1, 2, 4)
        assert reader.resolution == pytest.approx((0.5, 0.5))
        for level in range(3):
            reduced = pixels[:: 2**level, :: 2**level]
            assert np.array_equal(reader.region(Box(40, 30, 90, 80), level=level), reduced[30:110, 40:130])


@pytest.mark.parametrize("name", ["stripped.tif", "plain.png", "plain.jpg"])
def test_plain_image_is_read_without_openslide(slides, name):
    pixels = slides.picture()
    path = slides.folder / name
    Image.fromarray(pixels).save(path, dpi=(50800, 50800), **({"quality": 95} if name.endswith("jpg") else {}))
    opened = open_reader(path)
    assert isinstance(opened, PlainReader)
    assert opened.resolution == pytest.approx((0.5, 0.5), rel=1e-3)
    expected = np.asarray(Image.open(path))[32:64, 100:180]
    assert np.array_equal(opened.region(Box(100, 32, 80, 32), level=0), expected)


def test_replaced_file_is_read_anew(slides):
    for seed in (0, 1):
        pixels = slides.picture(seed=seed)
        opened = open_reader(slides.tiff(pixels, tiled=False))
        assert np.array_equal(opened.region(Box(0, 0, 640, 512), level=0), pixels)


def test_transparent_is_white(slides):
    path = slides.folder / "alpha.png"
    pixels = np.dstack([slides.picture(), np.full((512, 640), 255, np.uint8)])
    pixels[:, :100] = 0
    Image.fromarray(pixels).save(path)
    region = open_reader(path).region(Box(0, 0, 200, 10), level=0)
    assert (region[:, :100] == 255).all()
    assert np.array_equal(region[:, 100:], pixels[:10, 100:200, :3])


def damaged(slides, kind):
    path = slides.folder / "Jane_Doe_1950.tif"
    if kind == "empty":
        path.touch()
    elif kind == "absent":
        return path
    elif kind == "folder":
        path.mkdir()
    elif kind == "half a pyramid":
        whole = slides.pyramid(slides.picture()).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "text":
        path.write_text("patient_id,age\nJane Doe,73\n")
    elif kind == "grey":
        Image.fromarray(slides.picture()[..., 0]).save(path)
    elif kind == "16 bits":
        slides.tiff(slides.picture().astype(np.uint16) * 257, name=path.name, tiled=False)
    return path


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("empty", "empty (0 bytes)"),
        ("absent", "no such file"),
        ("folder", "the folder has 0 files"),
        ("half a pyramid", "damaged or incomplete"),
        ("text", "not a slide"),
        ("grey", "wanted 8-bit colour"),
        ("16 bits", "3 channels of ushort (rgb16), wanted 8-bit colour"),
    ],
)
def test_unusable_file_is_one_clear_line_without_its_name(slides, kind, said):
    with pytest.raises(SpecimenError, match=re.escape(said)) as caught:
        open_reader(damaged(slides, kind))
    assert "\n" not in str(caught.value)
    assert "Jane" not in str(caught.value)


@pytest.mark.parametrize("tiled", [True, False])
def test_damage_behind_a_good_header_is_an_error_not_black_pixels(slides, tiled):
    path = slides.tiff(slides.picture(), tiled=tiled)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(SpecimenError, match="damaged or incomplete"):
        open_reader(path).region(Box(0, 0, 640, 512), level=0)


def test_damage_is_told_without_the_files_name(slides, monkeypatch):
    path = slides.tiff(slides.picture(), name="Jane_Doe_1950.tif", tiled=False)
    opened = open_reader(path)

    def fail(region, box):
        raise pyvips.Error(f"{path}: bad seek to 16646482")  # as libvips says of an offset beyond the end

    monkeypatch.setattr(reader, "_fetch", fail)
    with pytest.raises(SpecimenError, match="the file: bad seek") as caught:
        opened.region(Box(0, 0, 64, 64), level=0)
    assert "Jane" not in str(caught.value)


def test_colours_of_ink_are_refused(slides):
    path = slides.folder / "ink.jpg"
    Image.fromarray(slides.picture()).convert("CMYK").save(path)
    with pytest.raises(SpecimenError, match=r"4 channels of uchar \(cmyk\), wanted 8-bit colour"):
        open_reader(path)


def test_resolution_of_nought_counts_as_unknown(slides):
    path = slides.folder / "nought.tif"
    tifffile.imwrite(
        path, slides.picture(), photometric="rgb", resolution=((0, 1), (0, 1)), resolutionunit="CENTIMETER"
    )
    assert open_reader(path).resolution is None


def test_file_without_the_right_to_read_it_is_told_without_its_name(slides, monkeypatch):
    path = slides.tiff(slides.picture(), name="Jane_Doe_1950.tif")
    monkeypatch.setattr(reader.os, "access", lambda path, mode: False)  # rights do not bind a superuser
    with pytest.raises(SpecimenError, match="cannot be read without permission") as caught:
        open_reader(path)
    assert "Jane" not in str(caught.value)


def test_truncated_jpeg_is_an_error(slides):
    path = slides.folder / "a.jpg"
    Image.fromarray(slides.picture()).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SpecimenError, match="damaged or incomplete"):
        open_reader(path).region(Box(0, 0, 640, 512), level=0)


def test_decompression_bomb_is_refused_unread(slides):
    path = slides.folder / "bomb.png"
    pyvips.Image.black(20_000, 10_001, bands=3).pngsave(str(path), compression=1)
    with pytest.raises(SpecimenError, match="20000 x 10001 pixels and no pyramid"):
        open_reader(path)


@pytest.mark.parametrize(
    "name",
    [
        "pathology/pathml_small_dicom.dcm",
        "radiology/dcmqi/01.dcm",
        "radiology/pydicom/US1_UNCR.dcm",
        "radiology/totalsegmentator/example_ct.nii.gz",
        "radiology/dcmqi/liver_seg.nrrd",
        "clinical/pbc.csv",
    ],
)
def test_real_file_that_is_no_usable_slide(real, name):
    with pytest.raises(SpecimenError, match=r"not a slide|cannot be read"):
        open_reader(real / name)


def test_openslide_is_asked_first(slides):
    assert isinstance(open_reader(slides.tiff(slides.picture())), OpenSlideReader)


def test_any_fault_of_a_library_is_a_specimen_error_without_the_files_name(slides, monkeypatch):
    path = write_svs(slides.folder / "Jane_Doe.svs", slides.picture())

    def fail(self, *arguments):
        raise MemoryError(f"cannot hold {path}\nat all: Jane_Doe.svs")

    monkeypatch.setattr(reader.openslide, "OpenSlide", fail)
    with pytest.raises(SpecimenError, match=r"damaged or incomplete \(at all: the file\)"):
        open_reader(path)


def test_tag_of_a_wrong_kind_is_a_specimen_error(slides):
    path = write_svs(slides.folder / "a.svs", slides.picture())
    with tifffile.TiffFile(path, mode="r+b") as file:
        place = file.pages[0].tags["SamplesPerPixel"].offset
    with path.open("r+b") as file:
        file.seek(place + 2)
        file.write((1).to_bytes(2, "little"))  # a byte, which OpenSlide reads as the number it is, and tifffile cannot
    with pytest.raises(SpecimenError, match="damaged or incomplete"):
        open_reader(path)


def test_small_file_that_claims_to_be_huge_is_refused_unread(slides):
    path = slides.tiff(slides.picture())
    with tifffile.TiffFile(path, mode="r+b") as file:
        for name in ("ImageWidth", "ImageLength"):
            file.pages[0].tags[name].overwrite(60_000)
    with pytest.raises(SpecimenError, match=r"declares 60000 x 60000 pixels in \d+ bytes|damaged or incomplete"):
        open_reader(path)


def test_huge_tiles_are_refused_unread(slides):
    path = slides.tiff(slides.picture())
    with tifffile.TiffFile(path, mode="r+b") as file:
        for name in ("TileWidth", "TileLength"):
            file.pages[0].tags[name].overwrite(16384)
    with pytest.raises(SpecimenError, match="tiles of 16384 x 16384 pixels"):
        open_reader(path)


def test_progressive_picture_is_bounded_more_tightly(slides, monkeypatch):
    monkeypatch.setattr(reader, "LARGEST_PLAIN", 640 * 512)
    for progressive in (False, True):
        path = slides.folder / f"{progressive}.jpg"
        Image.fromarray(slides.picture()).save(path, progressive=progressive)
        if progressive:
            with pytest.raises(SpecimenError, match="640 x 512 pixels and no pyramid"):
                open_reader(path)
        else:
            open_reader(path)


@pytest.mark.parametrize("suffix", sorted(VENDOR_SUFFIXES))
def test_picture_under_a_scanners_name_is_never_read_as_the_slide(slides, suffix):
    path = slides.folder / f"Jane{suffix.upper()}"
    Image.fromarray(slides.picture()).save(path, "JPEG", dpi=(50800, 50800))
    with pytest.raises(SpecimenError, match=r"not a slide|folder of the same name|the files it names") as caught:
        open_reader(path)
    assert "Jane" not in str(caught.value)


def test_mirax_slide_needs_its_folder_and_says_so(slides):
    path = write_mirax(slides.folder / "Jane_Doe.mrxs", slides.picture())
    folder = path.with_suffix("")
    assert open_reader(path).sizes[0] == open_reader(folder).sizes[0] == (640, 512)
    path.rename(slides.folder / "kept")
    with pytest.raises(SpecimenError, match=r"not the .mrxs file of the same name"):
        open_reader(folder)
    (slides.folder / "kept").rename(path)
    folder.rename(slides.folder / "elsewhere")
    with pytest.raises(
        SpecimenError, match=r"folder of the same name beside it, with Slidedat.ini .* is missing"
    ) as caught:
        open_reader(path)
    assert "Jane" not in str(caught.value)


def test_folder_that_holds_one_slide_is_that_slide(slides):
    instances = write_dicom(slides.folder / "dicom", slides.picture(), series="1.2.3")
    opened = open_reader(slides.folder / "dicom")
    assert opened.sizes == ((640, 512), (320, 256))
    assert opened.identity == open_reader(instances[1]).identity == "1.2.3"
    (slides.folder / "dicom" / "notes.txt").write_text("of the scanner")
    assert open_reader(slides.folder / "dicom").identity == "1.2.3"
    write_dicom(slides.folder / "dicom", slides.picture(seed=1), series="1.2.34")
    with pytest.raises(SpecimenError, match="at least two slides, 2 of its 4 files"):
        open_reader(slides.folder / "dicom")


@pytest.mark.parametrize(("frame", "offset"), [(3, 0), (5, 2**31), (11, 30_000)])
def test_dicom_frames_out_of_order_are_refused_before_libdicom_ends_the_process(slides, frame, offset):
    first, second = write_dicom(slides.folder / "dicom", slides.picture(width=256, height=192), series="1.2.3")
    content = bytearray(first.read_bytes())
    place = content.index(b"\xe0\x7f\x10\0OB") + 20 + 4 * frame
    content[place : place + 4] = offset.to_bytes(4, "little")
    first.write_bytes(content)
    for path in (first, second, slides.folder / "dicom"):
        with pytest.raises(SpecimenError, match="table of frames"):
            open_reader(path)


@pytest.mark.parametrize("claims", [{"TotalPixelMatrixColumns": 2**24}, {"Rows": 2**15, "Columns": 2**15}])
def test_dicom_that_claims_to_be_huge_is_refused_unread(slides, claims):
    (path,) = write_dicom(slides.folder / "dicom", slides.picture(), series="1.2.3", levels=1)
    instance = pydicom.dcmread(path)
    instance.update(claims)
    instance.save_as(path)
    with pytest.raises(SpecimenError, match="the header declares"):
        open_reader(path)


def test_copies_of_one_scan_have_one_identity(slides):
    one, two = (slides.folder / name for name in ("one", "two"))
    for folder, overview in ((one, 0), (two, 200)):
        folder.mkdir()
        write_mirax(folder / "a.mrxs", slides.picture(), overview=overview)
    write_mirax(slides.folder / "other.mrxs", slides.picture(seed=1))
    first, copy, other = (open_reader(each) for each in (one / "a.mrxs", two / "a", slides.folder / "other.mrxs"))
    assert first.identity == copy.identity != other.identity


def test_a_pyramid_down_to_a_pixel_has_no_identity(slides):
    """Whose single pixel is that of many slides."""
    path = slides.folder / "pixel.tif"
    image = pyvips.Image.new_from_array(slides.picture())
    image.tiffsave(str(path), tile=True, pyramid=True, depth="onepixel", compression="jpeg")
    assert open_reader(path).sizes[-1] == (1, 1)
    assert open_reader(path).identity is None
    assert open_reader(slides.pyramid(slides.picture())).identity


def test_cases_that_failed(real):
    cases = real.parent / "cases" / "pathology"
    if not cases.is_dir():
        pytest.skip("no folder of cases beside HEPATICA_DATA")
    with pytest.raises(SpecimenError, match="damaged or incomplete"):
        open_reader(cases / "crash_0_z_small.svs")
    with pytest.raises(SpecimenError, match="folder of the same name beside it"):
        open_reader(cases / "h_core.mrxs")

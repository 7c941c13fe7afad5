import errno
import os
import pickle
import shutil
import signal
import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
import tifffile
from slide_formats import write_dicom, write_mirax

from hepatica.cohort.errors import SpecimenError, UnavailableError
from hepatica.cohort.preparation import Ledger, content_of
from hepatica.pathology import disk_need, store
from hepatica.pathology.slide import open_slide
from hepatica.pathology.stain import StainSettings
from hepatica.pathology.store import prepare
from hepatica.pathology.tiles import Tiling

TILING = Tiling(side=64)


@pytest.fixture
def specimens(slides):
    """Three good slides, the middle one plain."""
    paths = [
        slides.pyramid(slides.picture(seed=1), name="Jane_Doe.tif"),
        slides.tiff(slides.picture(seed=2), name="b.tif", tiled=False),
        slides.tiff(slides.picture(seed=3), name="c.tif"),
    ]
    return [slides.specimen(path, row=row) for row, path in enumerate(paths, start=2)]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "tiles"


def files(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.safetensors")}


def test_tiles_are_what_the_slide_shows_at_their_corners(specimens, folder):
    tiles = prepare(specimens, tiling=TILING, folder=folder)
    assert len(tiles) == len(tiles.index) == tiles.specimens["tiles"].sum()
    assert list(tiles.index.columns) == ["patient_id", "specimen_id", "tile", "x", "y", "extent"]
    assert tiles.index.groupby("specimen_id")["tile"].max().add(1).tolist() == tiles.specimens["tiles"].tolist()
    pixels = tiles.read(np.arange(len(tiles)))
    for specimen in specimens:
        with open_slide(specimen.path) as slide:
            for row in tiles.index[tiles.index["specimen_id"] == specimen.specimen_id].itertuples():
                assert np.array_equal(pixels[row.Index], slide.read((row.x, row.y), side=64, mpp=0.5))


def test_reading_a_batch_is_reading_each(specimens, folder):
    tiles = prepare(specimens, tiling=TILING, folder=folder)
    wanted = np.random.default_rng(0).integers(0, len(tiles), 50)
    batch = tiles.read(wanted)
    assert batch.dtype == np.uint8
    assert np.array_equal(batch, np.concatenate([tiles.read(np.array([each])) for each in wanted]))
    assert tiles.read(np.array([], int)).shape == (0, 64, 64, 3)


def test_select_is_a_view_in_the_stores_own_order(specimens, folder):
    tiles = prepare(specimens, tiling=TILING, folder=folder)
    chosen = tiles.select(patient_ids=["p4", "p2"])
    rows = np.flatnonzero(tiles.index["patient_id"].isin(["p2", "p4"]))
    assert np.array_equal(chosen.read(np.arange(len(chosen))), tiles.read(rows))
    assert chosen.index["patient_id"].unique().tolist() == chosen.specimens["patient_id"].tolist() == ["p2", "p4"]
    assert len(tiles.select(specimen_ids=["s3"])) + len(chosen) == len(tiles)
    assert len(tiles.select(patient_ids=[])) == 0
    assert len(tiles.select(patient_ids=["p2"], specimen_ids=["s3"])) == 0


def test_labelled_tiles_carry_the_class_of_their_patient(specimens, folder):
    tiles = prepare(specimens, tiling=TILING, folder=folder)
    patients = tiles.specimens["patient_id"].tolist()
    label = pd.Series({patients[2]: 1.0, patients[0]: 0.0})
    samples = tiles.labelled(label)
    assert samples.inputs.index["patient_id"].unique().tolist() == [patients[0], patients[2]]
    assert samples.labels.tolist() == samples.inputs.index["patient_id"].map(label).tolist()


def test_store_travels_to_another_process(specimens, folder):
    tiles = prepare(specimens, tiling=TILING, folder=folder)
    first = tiles.read(np.arange(3))
    assert np.array_equal(pickle.loads(pickle.dumps(tiles)).read(np.arange(3)), first)


def test_file_names_and_contents_hold_no_identity(specimens, folder):
    prepare(specimens, tiling=TILING, folder=folder)
    for path in folder.rglob("*"):
        assert len(path.stem) == 64 or path.name == "ledger"
        assert path.is_dir() or not {b"Jane", b"p2", b"s2"} & set(path.read_bytes()[:4000].split(b'"'))


def test_nothing_finished_is_done_again(specimens, folder, monkeypatch):
    first = prepare(specimens, tiling=TILING, folder=folder)
    monkeypatch.setattr(store, "_cut", None)
    again = prepare(specimens, tiling=TILING, folder=folder)
    assert again.index.equals(first.index)
    assert again.specimens.equals(first.specimens)


CHANGED = {"side": 32, "mpp": 0.6, "background": 0.4, "limit": 3, "seed": 1}


def test_every_setting_is_in_the_key(specimens):
    assert CHANGED.keys() == {each.name for each in fields(Tiling)}
    keys = [
        store.slide_key(specimens[0], tiling=replace(TILING, **{name: value}), stain=None)
        for name, value in CHANGED.items()
    ]
    stains = [replace(StainSettings(), **{each.name: 3}) for each in fields(StainSettings)]
    keys += [store.slide_key(specimens[0], tiling=TILING, stain=each) for each in (None, StainSettings(), *stains)]
    keys += [store.slide_key(each, tiling=TILING, stain=None) for each in specimens[1:]]
    forced = [replace(specimens[0], mpp=mpp, force_mpp=True) for mpp in (0.5, 0.51)]
    keys += [store.slide_key(each, tiling=TILING, stain=None) for each in forced]
    assert len(set(keys)) == len(keys)


def test_key_follows_content_not_place(specimens, tmp_path):
    moved = shutil.copy(specimens[0].path, tmp_path / "elsewhere.tif")
    renamed = replace(specimens[0], path=tmp_path / moved, patient_id="q", specimen_id="r", row=99)
    assert store.slide_key(renamed, tiling=TILING, stain=None) == store.slide_key(
        specimens[0], tiling=TILING, stain=None
    )


def test_one_slide_under_two_names_is_cut_once(specimens, slides, folder):
    twin = slides.specimen(specimens[0].path, row=9)
    tiles = prepare([specimens[0], twin], tiling=TILING, folder=folder)
    assert len(files(folder)) == 1
    assert tiles.specimens["specimen_id"].tolist() == ["s2", "s9"]


def test_limit(specimens, folder):
    assert prepare(specimens, tiling=replace(TILING, limit=4), folder=folder).specimens["tiles"].tolist() == [4, 4, 4]


@pytest.mark.parametrize("stain", [None, StainSettings(candidates=2000)])
def test_tiles_without_room_are_cut_when_they_are_read_and_are_the_same(specimens, folder, monkeypatch, capfd, stain):
    stored = prepare(specimens, tiling=TILING, stain=stain, folder=folder)
    monkeypatch.setattr(disk_need, "WORTH_A_LINE", 0)
    monkeypatch.setattr(disk_need.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, 1000))
    uncut = prepare(specimens, tiling=TILING, stain=stain, folder=folder.with_name("uncut"))
    assert "tiles of 3 slides: about 0 GB, 0 GB are free; they are not stored" in capfd.readouterr().err
    monkeypatch.setattr(store, "OPEN_SLIDES", 2)
    wanted = np.random.default_rng(0).permutation(len(stored))
    for each in (uncut, pickle.loads(pickle.dumps(uncut))):
        assert np.array_equal(each.read(wanted), stored.read(wanted))
        assert len(each.uncut._open) == 2
    assert uncut.specimens.equals(stored.specimens)
    assert max(len(content) for content in files(folder.with_name("uncut")).values()) < 5000
    again = prepare(specimens, tiling=TILING, stain=stain, folder=folder)
    assert again.uncut is None  # what is stored stays so


def test_how_a_slide_looks_is_measured_and_kept(slides, specimens, folder):
    plain = prepare(specimens, tiling=TILING, folder=folder).specimens
    stained = prepare(specimens, tiling=TILING, stain=StainSettings(candidates=2000), folder=folder)
    again = prepare(specimens, tiling=TILING, stain=StainSettings(candidates=2000), folder=folder).specimens
    assert again.equals(stained.specimens)
    assert list(plain) == list(stained.specimens) == list(stained.select(patient_ids=[]).specimens)
    for table in (plain, stained.specimens):
        tissue = np.pi / 9 * 640 * 512 * 0.25 / 1e6  # an ellipse over two thirds of each side
        assert table["tissue_mm2"].to_numpy() == pytest.approx(tissue, rel=0.02)
        assert table["tissue_share"].to_numpy() == pytest.approx(np.pi / 9, rel=0.02)
        assert table["ink_share"].max() == 0
        assert table["hue_degrees"].between(260, 335).all()
        assert table["saturation"].between(0.3, 0.7).all()
        assert (table["mpp_known"] + table["notes"]).tolist() == ["file"] * 3
        for stain in ("haematoxylin", "eosin"):
            vectors = table[[f"{stain}_{colour}" for colour in "rgb"]]
            assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
            assert (table[f"{stain}_peak"] > 0.1).all()
        assert (table["haematoxylin_r"] > table["eosin_r"]).all()
    one = np.where(slides.picture() < 200, np.uint8([225, 150, 190]), slides.picture())
    unstained = slides.specimen(slides.tiff(one, name="one.tif"), row=8)
    assert np.isnan(prepare([unstained], tiling=TILING, folder=folder).specimens["eosin_peak"]).all()


def test_corrected_resolution_makes_other_tiles_of_the_same_slide(slides, folder):
    path, tiling = slides.pyramid(slides.picture(width=4096, height=3072)), replace(TILING, limit=4)
    first = prepare([slides.specimen(path)], tiling=tiling, folder=folder)
    with tifffile.TiffFile(path, mode="r+b") as file:  # one directory of several, in the middle of the file
        for name in ("XResolution", "YResolution"):
            file.pages[0].tags[name].overwrite((40_000, 1))
    corrected = prepare([slides.specimen(path)], tiling=tiling, folder=folder)
    assert (first.index["extent"] == 64).all()
    assert (corrected.index["extent"] == 128).all()
    assert corrected.specimens["mpp"].tolist() == [pytest.approx(0.25)]
    keys = pd.concat([first.specimens["key"], corrected.specimens["key"]])
    assert content_of(keys).nunique() == 1


def test_copies_of_one_scan_are_known_as_such(slides):
    """Under two patients they would leak from one fold into another."""
    one, two, dicom = (slides.folder / name for name in ("one", "two", "dicom"))
    for place, overview in ((one, 0), (two, 200)):
        place.mkdir()
        write_mirax(place / "a.mrxs", slides.picture(), overview=overview)
    first, second = write_dicom(dicom, slides.picture(), series="1.2.3")
    other = write_mirax(slides.folder / "b.mrxs", slides.picture(seed=1))
    paths = [one / "a.mrxs", two / "a.mrxs", two / "a", first, second, dicom, other]
    keys = [store.slide_key(slides.specimen(path), tiling=TILING, stain=None) for path in paths]
    content = content_of(pd.Series(keys))
    assert content.groupby(content, sort=False).size().tolist() == [3, 3, 1]


def test_mirax_and_dicom_slides_are_cut(slides, folder):
    dicom = slides.folder / "dicom"
    write_dicom(dicom, slides.picture(), series="1.2.3")
    paths = [write_mirax(slides.folder / "a.mrxs", slides.picture()), dicom]
    tiles = prepare([slides.specimen(each, row=k) for k, each in enumerate(paths)], tiling=TILING, folder=folder)
    assert tiles.failures.empty
    assert tiles.specimens["tiles"].nunique() == 1


def test_image_of_a_mirax_slide_replaced_makes_other_tiles(slides):
    path = write_mirax(slides.folder / "a.mrxs", slides.picture())
    key = store.slide_key(slides.specimen(path), tiling=TILING, stain=None)
    data = path.with_suffix("") / "Data0000.dat"
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)
    assert store.slide_key(slides.specimen(path), tiling=TILING, stain=None) != key


@pytest.mark.parametrize("error", [TypeError("slice"), MemoryError(), ZeroDivisionError(), RecursionError("deep")])
def test_no_fault_of_one_slide_takes_the_results_of_the_others(specimens, folder, monkeypatch, error):
    def fault(*given):
        raise error

    whole = store.survey
    calls = iter([False, True, False])
    monkeypatch.setattr(store, "survey", lambda *given: (fault if next(calls) else whole)(*given))
    tiles = prepare(specimens, tiling=TILING, folder=folder)
    assert len(tiles.specimens) == 2
    assert len(tiles.failures) == 1
    assert "damaged or incomplete" in tiles.failures["error"][0]


def test_stains_are_normalised_slide_by_slide(slides, folder):
    pixels = slides.picture()
    faded = (255 * (pixels / 255) ** 0.6).astype(np.uint8)  # the same tissue with 60 % of the stain
    specimens = [slides.specimen(slides.tiff(each, name=f"{k}.tif"), row=k) for k, each in enumerate([pixels, faded])]
    plain = prepare(specimens, tiling=TILING, folder=folder)
    normalised = prepare(specimens, tiling=TILING, stain=StainSettings(), folder=folder)
    assert normalised.index.equals(plain.index)

    def difference(tiles):
        dark, pale = (tiles.select(specimen_ids=[name]) for name in ("s0", "s1"))
        both = (each.read(np.arange(len(each))).astype(int) for each in (dark, pale))
        return np.abs(np.subtract(*both)).mean()

    assert difference(plain) > 20
    assert difference(normalised) < 6


GLASS = np.full((768, 768, 3), 244, np.uint8)
PEN = GLASS.copy()
PEN[256:512] = (45, 165, 135)
CRUMBS = np.where(
    np.kron(np.arange(12) % 4 == 1, np.ones(64))[None, :, None] > 0, GLASS - 120 * np.uint8([0, 1, 0]), GLASS
)
CRUMBS[np.arange(768) % 128 > 20] = 244


def cut_off(path, *, length):
    path.write_bytes(path.read_bytes()[:length])


BAD = {
    "zero bytes": lambda slides, pixels, path: path.touch(),
    "absent": lambda slides, pixels, path: None,
    "cut off": lambda slides, pixels, path: cut_off(slides.pyramid(pixels, name=path.name), length=20_000),
    "cut off late": lambda slides, pixels, path: cut_off(slides.tiff(pixels, name=path.name), length=-200_000),
    "no resolution": lambda slides, pixels, path: slides.tiff(pixels, name=path.name, mpp=None),
    "screen resolution": lambda slides, pixels, path: slides.tiff(pixels, name=path.name, mpp=25400 / 72),
    "no tissue": lambda slides, pixels, path: slides.tiff(GLASS, name=path.name),
    "pen alone": lambda slides, pixels, path: slides.tiff(PEN, name=path.name),
    "crumbs": lambda slides, pixels, path: slides.tiff(CRUMBS, name=path.name),
    "small": lambda slides, pixels, path: slides.tiff(pixels[200:250, 200:400], name=path.name, tiled=False),
    "coarse": lambda slides, pixels, path: slides.tiff(pixels, name=path.name, mpp=2.0),
    "text": lambda slides, pixels, path: path.write_text("a,b\n1,2\n"),
}


def bad(slides, kind):
    path = slides.folder / "bad.tif"
    BAD[kind](slides, slides.picture(), path)
    return slides.specimen(path, row=7)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("zero bytes", "empty"),
        ("absent", "no such file"),
        ("cut off", "damaged or incomplete"),
        ("cut off late", "damaged or incomplete"),
        ("no resolution", "does not state its micrometres"),
        ("screen resolution", "352.8 micrometres per pixel"),
        ("no tissue", "no tissue found on the slide;"),
        ("pen alone", "no tissue found on the slide, and pen ink on 34% of it;"),
        ("crumbs", "no tile has enough tissue"),
        ("small", "wanted at least one tile"),
        ("coarse", "got a slide of 2 micrometres per pixel, wanted 1 or finer"),
        ("text", "not a slide"),
    ],
)
def test_one_bad_slide_is_recorded_and_stops_nobody(slides, specimens, folder, kind, said):
    wrong = bad(slides, kind)
    tiles = prepare([specimens[0], wrong, specimens[1]], tiling=TILING, folder=folder)
    assert tiles.specimens["specimen_id"].tolist() == ["s2", "s3"]
    assert tiles.failures[["patient_id", "specimen_id", "row"]].values.tolist() == [["p7", "s7", 7]]
    assert said in tiles.failures["error"][0]
    record = Ledger(folder / "ledger").read(store.slide_key(wrong, tiling=TILING, stain=None))
    assert record["row"] == 7
    assert said in record["attempts"][-1]["error"]
    assert not list(folder.glob(".*"))


def test_mended_slide_is_taken_up_next_time(slides, specimens, folder):
    wrong = bad(slides, "no resolution")
    prepare([specimens[0], wrong], tiling=TILING, folder=folder)
    tiles = prepare([specimens[0], replace(wrong, mpp=0.5)], tiling=TILING, folder=folder)
    assert tiles.failures.empty
    assert tiles.specimens["mpp"].tolist() == [0.5, 0.5]


def test_no_good_slide_at_all_is_one_clear_error(slides, folder):
    with pytest.raises(SpecimenError, match=r"none of 1 slides gave a tile; row 7: no tissue found"):
        prepare([bad(slides, "no tissue")], tiling=TILING, folder=folder)


def test_full_disk_stops_and_the_rerun_goes_on(specimens, folder, monkeypatch):
    whole = store.writing
    undisturbed = prepare(specimens, tiling=TILING, folder=folder.with_name("undisturbed"))

    def full(path, **options):
        if len(files(folder)) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(path, **options)

    monkeypatch.setattr(store, "writing", full)
    monkeypatch.setattr(store, "_WORKERS", 1)
    with pytest.raises(UnavailableError, match=r"No space left on device.*start again"):
        prepare(specimens, tiling=TILING, folder=folder)
    assert len(files(folder)) == 1
    monkeypatch.setattr(store, "writing", whole)
    resumed = prepare(specimens, tiling=TILING, folder=folder)
    assert resumed.index.equals(undisturbed.index)
    assert files(folder) == files(folder.with_name("undisturbed"))


KILLED = """
import os, pickle, signal, sys
from pathlib import Path
from hepatica.pathology import disk_need, store
specimens, tiling, stain, folder, reads = pickle.load(sys.stdin.buffer)
read = store.Slide.read
def counted(*arguments, **options):
    global reads
    reads -= 1
    if reads < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return read(*arguments, **options)
store.Slide.read, store._CHUNK, store._WORKERS = counted, 4, 1
store.prepare(specimens, tiling=tiling, stain=stain, folder=folder)
"""


@pytest.mark.parametrize("reads", [10, 50])
def test_killed_and_started_again_equals_undisturbed(specimens, folder, reads):
    stain = StainSettings(candidates=2000)
    undisturbed = prepare(specimens, tiling=TILING, stain=stain, folder=folder.with_name("undisturbed"))
    command = pickle.dumps((specimens, TILING, stain, folder, reads))
    killed = subprocess.run([sys.executable, "-c", KILLED], input=command, check=False, env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    assert len(files(folder)) < 3
    resumed = prepare(specimens, tiling=TILING, stain=stain, folder=folder)
    assert resumed.index.equals(undisturbed.index)
    assert files(folder) == files(folder.with_name("undisturbed"))
    assert not list(folder.glob(".*"))


def test_removed_tile_file_is_a_clear_error(specimens, folder):
    tiles = prepare(specimens, tiling=TILING, folder=folder)
    for path in folder.glob("*.safetensors"):
        path.unlink()
    with pytest.raises(UnavailableError, match="prepare the tiles again"):
        tiles.read(np.arange(1))


def test_silent_away_from_a_terminal(specimens, folder, capfd):
    prepare(specimens, tiling=TILING, folder=folder)
    assert capfd.readouterr() == ("", "")


def test_real_slides(real, slides, folder):
    specimens = [
        slides.specimen(real / "pathology" / "CMU-1-Small-Region.svs", row=2),
        slides.specimen(real / "pathology" / "tiatoolbox_target_image.png", row=3, mpp=0.5),
        slides.specimen(real / "pathology" / "pathml_small_dicom.dcm", row=4),
        slides.specimen(real / "radiology" / "totalsegmentator" / "example_ct.nii.gz", row=5),
    ]
    tiles = prepare(specimens, tiling=Tiling(limit=8), stain=StainSettings(candidates=20_000), folder=folder)
    assert tiles.specimens["tiles"].tolist() == [8, 8]
    assert tiles.failures["row"].tolist() == [4, 5]


def test_cases_that_failed(real, slides, specimens, folder):
    cases = real.parent / "cases" / "pathology"
    if not cases.is_dir():
        pytest.skip("no folder of cases beside HEPATICA_DATA")
    names = ("crash_0_z_small.svs", "h_core.mrxs", "no-tissue-green-pen.png")
    wrong = [slides.specimen(cases / name, row=row, mpp=0.5) for row, name in enumerate(names, start=5)]
    tiles = prepare([wrong[0], *specimens, *wrong[1:]], tiling=TILING, folder=folder)
    assert tiles.specimens["specimen_id"].tolist() == ["s2", "s3", "s4"]
    assert tiles.failures["row"].tolist() == [5, 6, 7]
    assert "no tissue found on the slide, and pen ink on 78% of it" in tiles.failures["error"][2]

"""Features: slides from a store, one at a time, give the files that local slides give, and a cohort to train on."""

import hashlib
import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from processes import command

from hepatica.cohort import CohortError, RunError, UnavailableError, load_cohort
from hepatica.fetch import fetch_tcga_lihc
from hepatica.fetch.gdc import Answer
from hepatica.pathology.features.feature_file import read_features, slide_of
from hepatica.pathology.features.room import complete, encoder_of, prepare
from hepatica.pathology.phantom import PhantomSettings, phantom_slides
from hepatica.protocol import override
from hepatica.runs import features as by_name
from hepatica.runs.engine import Engine, Shared
from hepatica.runs.features import PLAN, features
from hepatica.runs.spread import DIED

SMALL = override(
    PLAN,
    {"encoder": "resnet18.tv_in1k", "encoder_shape": {"channels": [4, 4, 8, 8]}, "weights": "random"}
    | {"side": 64, "mpp": 2.0},
)


@pytest.fixture(scope="module")
def near(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("near") / "cohort"
    return phantom_slides(folder, patients=3, seed=1, hospital="A", settings=PhantomSettings(side=512, images=1))


@pytest.fixture(scope="module")
def local(near, tmp_path_factory) -> Path:
    found, lost = features(near, out=tmp_path_factory.mktemp("local") / "out", settings=SMALL)
    assert lost == 0
    return found


@pytest.fixture
def far(near, file_server, tmp_path) -> Path:
    """The same cohort with its slides in a store, and nothing of them here."""
    folder = tmp_path / "far"
    folder.mkdir()
    for name in ("cohort.toml", "patients.csv"):
        shutil.copyfile(near / name, folder / name)
    table, root = pd.read_csv(near / "specimens.csv"), load_cohort(near)
    for each in root.specimens:
        file_server.files[f"/data/{each.row}"] = each.path.read_bytes()
    table["md5"] = [hashlib.md5(each.path.read_bytes()).hexdigest() for each in root.specimens]
    table["path"] = [f"{file_server.url}/data/{each.row}#{each.path.name}" for each in root.specimens]
    table.drop(columns="annotation").to_csv(folder / "specimens.csv", index=False)
    return folder


def bytes_of(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (out / "features").glob("*.h5")}


def test_slides_of_a_store_give_the_same_files_to_the_byte_and_are_removed(far, local, file_server, tmp_path):
    out, lost = features(far, out=tmp_path / "out", settings=SMALL)
    assert lost == 0
    assert len(bytes_of(out)) == 3
    assert bytes_of(out) == bytes_of(local)
    assert (out / "specimens.csv").read_bytes() == (local / "specimens.csv").read_bytes()
    assert not [path for path in out.rglob("*") if path.suffix in (".tif", ".tiff", ".svs", ".part")]
    assert not (out / ".brought").exists()
    assert len(file_server.asked) == 3


def test_the_result_is_a_cohort_that_a_system_of_features_reads(near, local):
    cohort, source = load_cohort(local), load_cohort(near)
    assert list(cohort.endpoints) == list(source.endpoints)
    assert [each.specimen_id for each in cohort.specimens] == [each.specimen_id for each in source.specimens]
    pd.testing.assert_frame_equal(cohort.patients, source.patients)
    assert cohort.phantom
    read = complete(cohort, SMALL)
    assert (read.made_by, read.width, read.side, read.mpp) == (
        complete(source, SMALL).made_by, encoder_of(SMALL).body.num_features, 64, 2.0,
    )  # fmt: skip
    assert np.isfinite(read_features(cohort.specimens[0].path).read(np.arange(3))).all()
    assert by_name is features


def test_features_are_known_by_the_content_of_their_slide(local, tmp_path):
    cohort = load_cohort(local)
    keys = prepare(cohort, complete(cohort, SMALL), tmp_path / "first").specimens["key"]
    assert keys.str[:32].tolist() == [each.path.stem[:32] for each in cohort.specimens]
    assert not set(keys) & {each.path.stem for each in cohort.specimens}
    with h5py.File(cohort.specimens[0].path, "r") as file:
        whole = {name: file[name][()] for name in ("features", "coords")}
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file.update(whole)
        file["coords"].attrs["name"] = cohort.specimens[0].path.stem  # not of ours: of no encoder that is known
    assert slide_of(other) == ""
    assert slide_of(tmp_path / "absent.h5") == ""


def test_at_most_two_slides_are_on_the_disk(far, file_server, tmp_path, monkeypatch):
    there: list[int] = []
    slides = tmp_path / "out" / ".brought"
    monkeypatch.setattr(
        "hepatica.pathology.features.feature_store.describe",
        lambda *given, to, **named: there.append(len([*slides.rglob("*.tif*")])) or to.write_bytes(b"no features"),
    )
    with pytest.raises(CohortError, match="none of 3 slides gave features"):
        features(far, out=tmp_path / "out", settings=SMALL)
    assert len(there) == 3
    assert 1 <= max(there) <= 2


def test_a_second_call_brings_only_what_is_new_or_was_changed(far, near, file_server, tmp_path):
    out = tmp_path / "out"
    features(far, out=out, settings=SMALL, limit=1)
    assert len(load_cohort(out).specimens) == 1
    assert len(file_server.asked) == 1
    features(far, out=out, settings=SMALL)
    assert [path for path, _ in file_server.asked] == ["/data/2", "/data/3", "/data/4"]
    before = bytes_of(out)
    other = (far / "specimens.csv").read_text().splitlines()
    file_server.files["/data/2"] += b"\0"
    sums = hashlib.md5(file_server.files["/data/2"]).hexdigest()
    old = pd.read_csv(far / "specimens.csv").md5[0]
    (far / "specimens.csv").write_text("\n".join(other).replace(old, sums))
    features(far, out=out, settings=SMALL)
    assert len(file_server.asked) == 4
    assert len(bytes_of(out).keys() - before.keys()) == 1


def test_regions_of_one_slide_are_described_each_and_anew_where_their_outline_changes(far, file_server, tmp_path):
    table = pd.read_csv(far / "specimens.csv").iloc[[0, 0]].assign(region=["left.geojson", "right.geojson"])
    table["specimen_id"] = ["left", "right"]
    table.to_csv(far / "specimens.csv", index=False)
    (far / "slides").mkdir()
    outline(far / "slides" / "left.geojson", left=0, right=256)
    outline(far / "slides" / "right.geojson", left=256, right=512)
    out, lost = features(far, out=tmp_path / "out", settings=SMALL)
    assert (lost, len(bytes_of(out)), len(file_server.asked)) == (0, 2, 1)
    before = bytes_of(out)
    outline(far / "slides" / "right.geojson", left=192, right=512)
    out, lost = features(far, out=tmp_path / "out", settings=SMALL)
    assert (lost, len(bytes_of(out).keys() - before.keys()), len(file_server.asked)) == (0, 1, 2)


def outline(path: Path, *, left: int, right: int) -> None:
    corners = [[left, 0], [right, 0], [right, 512], [left, 512], [left, 0]]
    path.write_text(json.dumps({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [corners]}}))


def test_a_slide_that_is_damaged_or_absent_stops_no_other(far, file_server, tmp_path):
    file_server.files["/data/2"] = file_server.files["/data/2"][:-1]
    del file_server.files["/data/4"]
    out, lost = features(far, out=tmp_path / "out", settings=SMALL)
    assert lost == 2
    failures = pd.read_csv(out / "failures.csv")
    assert failures.row.tolist() == [2, 4]
    assert "wanted" in failures.reason[0]
    assert "no such file" in failures.reason[1]
    assert len(load_cohort(out).specimens) == 1
    assert file_server.url not in (out / "failures.csv").read_text()


def test_a_slide_that_is_none_is_a_failure_with_its_reason(near, tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(near, folder)
    load_cohort(folder).specimens[0].path.write_bytes(b"no slide")
    out, lost = features(folder, out=tmp_path / "out", settings=SMALL)
    assert lost == 1
    assert "row 2" not in pd.read_csv(out / "failures.csv").reason[0]


def test_a_network_that_is_gone_stops_the_call_and_the_next_goes_on(far, file_server, tmp_path, monkeypatch):
    monkeypatch.setattr("hepatica.cohort.remote.transfer.time.sleep", lambda seconds: None)
    file_server.faults = [None, *[503] * 4]
    with pytest.raises(UnavailableError, match="run the same command again"):
        features(far, out=tmp_path / "out", settings=SMALL)
    file_server.asked.clear()
    assert len(load_cohort(features(far, out=tmp_path / "out", settings=SMALL)[0]).specimens) == 3
    asked = [path for path, _ in file_server.asked]
    assert "/data/2" not in asked
    assert asked[0] == "/data/3"  # the one after it may have come before the call was stopped


def test_processes_leave_the_files_of_one_and_no_slide(far, local, file_server, tmp_path):
    del file_server.files["/data/3"]
    out, lost = features(far, out=tmp_path / "out", settings=SMALL, engine=Engine(processes=2))
    assert lost == 1
    assert "no such file" in pd.read_csv(out / "failures.csv").reason[0]
    assert bytes_of(out).items() < bytes_of(local).items()
    assert len(bytes_of(out)) == 2
    assert not (out / ".brought").exists()
    assert sorted(path for path, _ in file_server.asked if path != "/data/3") == ["/data/2", "/data/4"]


def test_a_share_leaves_nothing_to_describe(far, near, local, file_server, tmp_path):
    for number, cohort in enumerate((far, near)):
        out = tmp_path / f"out{number}"
        with pytest.raises(Shared):
            features(cohort, out=out, settings=SMALL, engine=Engine(share=True))
        assert not (out / "specimens.csv").exists()
        written = {path: path.stat().st_mtime_ns for path in (out / "features").glob("*.h5")}
        file_server.asked.clear()
        shutil.rmtree(out / "prepared")  # without the table of jobs, too
        with pytest.raises(Shared):
            features(cohort, out=out, settings=SMALL, engine=Engine(share=True))
        features(cohort, out=out, settings=SMALL)
        assert not file_server.asked
        assert {path: path.stat().st_mtime_ns for path in written} == written
        assert bytes_of(out) == bytes_of(local)


def test_a_slide_that_no_process_outlives_is_set_aside(far, local, file_server, tmp_path):
    table, names = pd.read_csv(far / "specimens.csv"), ("once", "poison", "other")
    table["path"] = [path.partition("#")[0] + f"#{name}.tif" for path, name in zip(table.path, names, strict=True)]
    table.to_csv(far / "specimens.csv", index=False)
    own = ["encoder_shape={channels=[4, 4, 8, 8]}", "side=64", "mpp=2.0"]
    words = ["--encoder", SMALL.encoder, "--weights", "random", *(word for each in own for word in ("--set", each))]
    out = tmp_path / "out"
    done = command(["features", far, "--out", out, *words, "--jobs", 2], tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mark").exists()
    assert pd.read_csv(out / "failures.csv").to_dict("list") == {"row": [3], "reason": [DIED]}
    assert bytes_of(out).items() < bytes_of(local).items()
    assert len(bytes_of(out)) == 2
    file_server.asked.clear()
    features(far, out=out, settings=SMALL)
    assert not file_server.asked


def test_features_of_another_encoder_or_hospital_never_share_a_folder(near, local):
    with pytest.raises(RunError, match="made otherwise"):
        features(near, out=local, settings=override(SMALL, {"side": 96}))
    with pytest.raises(RunError, match="is not empty"):
        features(near, out=near, settings=SMALL)


def test_slides_that_have_features_are_refused(local, tmp_path):
    with pytest.raises(CohortError, match="wanted a cohort folder of slides without"):
        features(local, out=tmp_path / "out", settings=SMALL)


def test_the_same_slide_in_two_rows_is_described_once(near, tmp_path):
    folder = tmp_path / "twice"
    shutil.copytree(near, folder)
    first, second = (each.path for each in load_cohort(folder).specimens[:2])
    shutil.copyfile(first, second)
    out, lost = features(folder, out=tmp_path / "out", settings=SMALL)
    assert lost == 1
    assert "another row" in pd.read_csv(out / "failures.csv").reason[0]


def test_tcga_lihc_by_url_becomes_features_without_a_slide_on_the_disk(near, local, file_server, tmp_path, monkeypatch):
    """The archive's lists are written by hand; its slides are those of the phantom."""
    slides = [each.path.read_bytes() for each in load_cohort(near).specimens]
    ids = [f"00000000-0000-4000-8000-00000000000{k}" for k in range(3)]
    file_server.files |= {f"/data/{name}": slide for name, slide in zip(ids, slides, strict=True)}
    cases, files = [], []
    for name, slide, patient in zip(ids, slides, "ABC", strict=True):
        person = {"vital_status": "Alive"}
        seen = {"days_to_follow_up": 900, "progression_or_recurrence": "No"}
        cases.append({"id": name, "submitter_id": f"TCGA-XX-{patient}", "demographic": person, "follow_ups": [seen]})
        of = [{"submitter_id": f"TCGA-XX-{patient}"}]
        sums = {"md5sum": hashlib.md5(slide).hexdigest(), "file_size": len(slide)}
        named = {"file_name": f"TCGA-XX-000{patient}-01Z-00-DX1.svs", "file_id": name, "id": name}
        files.append({**named, **sums, "cases": of})
    answers = {"cases": cases, "files": files}

    class Archive:
        release = staticmethod(lambda: "Data Release 0")
        ask = staticmethod(lambda endpoint, question: Answer(hits=answers[endpoint], warnings={}))

    monkeypatch.setattr("hepatica.fetch.tcga_lihc.API", file_server.url)
    cohort = fetch_tcga_lihc(tmp_path / "lihc", by_url=True, gdc=Archive())
    out, lost = features(cohort, out=tmp_path / "out", settings=SMALL)
    assert lost == 0
    assert set(bytes_of(out).values()) == set(bytes_of(local).values())
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".svs", ".part")]
    assert load_cohort(out).endpoint("recurrence")

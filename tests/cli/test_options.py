"""Options: folders named by URLs are those of this machine to every command, wherever it is called."""

import json
from pathlib import Path
from shutil import copytree, rmtree

import pytest

from hepatica.cli.options import in_stores, is_far
from hepatica.cohort import SettingsError
from hepatica.cohort.phantom import phantom_tables
from hepatica.cohort.remote.mirror import mirrored, url_of

OUTSIDE = Path(__file__).parents[1] / "systems" / "outside"
SYSTEM = "outside_systems.table_survival:SYSTEM"
TIMES = ("log.jsonl", "settings.toml")
"""Files that say when, or by which versions, they were made."""


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in TIMES and "ledger" not in path.parts
    }


def objects(store, key: str) -> dict[str, bytes]:
    root = f"/bucket/{key}/"
    own = {name.removeprefix(root): body.getvalue() for name, body in store.items() if name.startswith(root)}
    return {
        name: body
        for name, body in own.items()
        if Path(name).name not in (*TIMES, ".hepatica.json") and "ledger" not in name
    }


@pytest.fixture
def elsewhere(tmp_path):
    """`elsewhere()`: the disk of this machine is empty."""
    return lambda: rmtree(tmp_path / "mirrors", ignore_errors=True)


def test_a_run_and_its_results_in_a_store_are_those_of_a_disk(hepatica, memory_store, elsewhere, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(OUTSIDE))
    folders = {name: phantom_tables(tmp_path / name, patients=40, seed=ord(name), hospital=name) for name in "AB"}
    for name, folder in folders.items():
        with mirrored(f"memory://bucket/{name}", writing=True) as copy:
            copytree(folder, copy)
    words = {"local": tmp_path, "far": "memory://bucket"}
    for name, place in words.items():
        for command in (
            ("train", SYSTEM, f"{place}/A", "--run", f"{place}/run", "--set", "epochs=2"),
            ("predict", f"{place}/run", f"{place}/B", "--out", f"{place}/out"),
            ("validate", f"{place}/run", f"{place}/B"),
        ):
            if name == "far":
                elsewhere()
            done = hepatica(*command)
            assert done.returncode == 0, done.stderr
            assert "memory:" not in done.stdout + done.stderr
    for folder in ("run", "out"):
        local, far = files(tmp_path / folder), objects(memory_store, folder)
        assert far.keys() == local.keys()
        assert {name for name, body in local.items() if far[name] != body} == set()
    assert "external/B/metrics.json" in objects(memory_store, "run")


def test_features_in_a_store_are_gone_on_with_and_read_elsewhere(hepatica, memory_store, elsewhere, tmp_path):
    from hepatica.pathology.phantom import PhantomSettings, phantom_slides

    slides = phantom_slides(
        tmp_path / "slides", patients=2, seed=1, hospital="A", settings=PhantomSettings(side=256, images=1)
    )
    small = ("--encoder", "resnet18.tv_in1k", "--weights", "random", "--set", "encoder_shape={channels=[4,4,8,8]}")
    words = ("features", slides, *small, "--set", "side=32", "--set", "mpp=2.0")
    assert hepatica(*words, "--out", tmp_path / "out").returncode == 0
    assert hepatica(*words, "--limit", 1, "--out", "memory://bucket/out").returncode == 0
    elsewhere()
    done = hepatica(*words, "--out", "memory://bucket/out")
    assert done.returncode == 0, done.stderr
    assert objects(memory_store, "out") == files(tmp_path / "out")
    ledger = [json.loads(body.getvalue()) for name, body in memory_store.items() if "/ledger/" in name]
    assert [len(each["attempts"]) for each in ledger] == [1, 1]


FAR = ("s3://bucket/out", "S3://b", "s3:/x", "abfs://a@b/c/", "g+x.y-z://b", "./s3:/x")
NEAR = (
    "out",
    "/a/b",
    "a:",
    "ab:",
    "s3:/",
    ".",
    "C:/x",
    "a:b/c",
    "C:\\x",
    "x:y",
    "--out=s3://b/c",
    "a/s3://b",
    "2b://c",
    "s3://a\nb",
)


@pytest.mark.parametrize("place", [*FAR, *NEAR])
def test_what_is_a_url_here_is_one_where_it_is_read(place):
    assert is_far(Path(place)) == bool(url_of(Path(place))) == (place in FAR)


def test_a_missing_cohort_and_run_are_named_before_anything_is_imported(hepatica, tmp_path):
    done = hepatica("train", SYSTEM, tmp_path / "none", "--run", tmp_path / "run")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "none is not a cohort folder" in done.stderr


@pytest.mark.parametrize(
    "words", [{"jobs": "share"}, {"ray": ["auto"]}, {"ray": ["a:6379", "gpus=1"]}, {"machines": 2}]
)
def test_several_machines_need_a_folder_that_all_see(words):
    command = in_stores(lambda **_: pytest.fail("called"))
    with pytest.raises(SettingsError, match="wanted folders that all of them see"):
        command(out=Path("s3://bucket/out"), **words)


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({"run": "run"}, {"run"}),
        ({"run": "run", "out": None}, {"run"}),
        ({"run": "run", "out": "o", "cohort": "c"}, {"out"}),
        ({"run": "run", "results": "o", "cohort": "c"}, {"results"}),
        ({"run": "run", "results": None}, {"run"}),
        ({"run": "run", "results": Path("/o")}, set()),
        ({"run": "run", "inputs": ["a", "b"], "out": Path("/o"), "ray": ["local", "cpus=1"]}, set()),
    ],
)
def test_only_results_are_written(given, written, monkeypatch):
    asked, taken = {}, {}

    class Copy:
        def __init__(self, place, *, writing, new):
            asked[str(place)] = writing
            assert new == ("run" not in str(place))  # only train begins one

        def __enter__(self):
            return "here"

        def __exit__(self, *_):
            taken["ended"] = True

    def far(value):
        return [Path(f"s3://bucket/{each}") for each in value] if value == ["a", "b"] else Path(f"s3://bucket/{value}")

    monkeypatch.setattr("hepatica.cohort.remote.mirror.mirrored", Copy)
    words = {name: far(value) if value and name != "ray" and not isinstance(value, Path) else value
             for name, value in given.items()}  # fmt: skip
    in_stores(lambda **words: taken.update(words))(**words)
    assert {name for name, value in given.items() if asked.get(f"s3:/bucket/{value}")} == written
    assert taken["run"] == "here"
    assert taken.get("inputs", ["here", "here"]) == ["here", "here"]
    assert taken["ended"]


@pytest.mark.parametrize("typed", ["s3:", "s3:bucket/key", "GS:x", "https:x"])
def test_a_misspelled_url_is_no_folder(typed):
    with pytest.raises(SettingsError, match="wanted a URL such as s3://BUCKET/KEY"):
        in_stores(lambda **_: pytest.fail("called"))(run=Path(typed))


def test_a_folder_with_a_colon_is_given_whole():
    given = {}
    in_stores(given.update)(run=Path("run:1"), out=Path("plain"), external=[Path("a:b")])
    assert given == {"run": Path("run:1").absolute(), "out": Path("plain"), "external": [Path("a:b")]}

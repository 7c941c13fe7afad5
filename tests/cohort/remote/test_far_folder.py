"""Far folder: what a manifest does not name changes nothing, and what it names is found."""

import hashlib

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from hepatica.cohort import RunError, SpecimenError, UnavailableError
from hepatica.cohort.remote import far_folder
from hepatica.cohort.remote.far_folder import FarFolder
from hepatica.cohort.remote.manifest import Entry, Manifest

FAR, KEY = FarFolder("memory://bucket/out"), "/bucket/out/"


@pytest.fixture(autouse=True)
def store(memory_store):
    return memory_store


def entry(text: str) -> Entry:
    return Entry(hashlib.sha256(text.encode()).hexdigest(), len(text))


def objects(store) -> dict[str, str]:
    return {key.removeprefix(KEY): body.getvalue().decode() for key, body in store.items()}


@pytest.fixture
def send(tmp_path):
    """`send(before, name=text, …)` sends files that a manifest is going to name, and gives that."""

    def act(before=Manifest({}), **texts):  # noqa: B008 - frozen
        for name, text in texts.items():
            (tmp_path / name).write_text(text)
        now = {**before.files, **{name: entry(text) for name, text in texts.items()}}
        FAR.send({name: tmp_path / name for name in texts}, now)
        return Manifest(now)

    return act


def bring(tmp_path, name: str, text: str) -> str:
    FAR.bring(name, entry(text), to=tmp_path / "here" / name, coming=tmp_path / "coming")
    return (tmp_path / "here" / name).read_text()


def staged(*texts: str) -> dict[str, str]:
    return {f".staged/{entry(text).sha256}": text for text in texts}


@pytest.fixture
def settled(send):
    """`settled(name=text, …)` puts them in their places too."""

    def act(**texts):
        FAR.settle(manifest := send(**texts), every=True)
        return manifest

    return act


def test_what_is_sent_lies_staged_once(store, send, settled, monkeypatch):
    first, written = settled(a="old"), []
    assert objects(store) == {"a": "old"}
    monkeypatch.setattr(far_folder, "_write", lambda *sent, own=far_folder._write: written.append(sent) or own(*sent))
    send(first, a="newer", b="new", c="new")
    assert objects(store) == {"a": "old"} | staged("newer", "new")
    assert len(written) == 2


def test_what_a_manifest_names_is_put_in_its_place_and_what_is_gone_removed(store, send, settled):
    second = send(settled(a="old", c="other"), a="newer")
    send(second, c="of another process")
    FAR.settle(Manifest({"a": second.files["a"]}, ("c", "d")), every=False)
    assert objects(store) == {"a": "newer"} | staged("of another process")
    FAR.settle(Manifest({"a": second.files["a"]}), every=True)
    assert objects(store) == {"a": "newer"}


def test_what_is_gone_is_removed_before_anything_lies_in_its_place(settled, monkeypatch):
    settled(a="old")
    there = []
    monkeypatch.setattr(MemoryFileSystem, "cp_file", lambda self, *_: there.append(self.exists(f"{KEY}a")))
    MemoryFileSystem().pipe_file(f"{KEY}.staged/{entry('new').sha256}", b"new")
    FAR.settle(Manifest({"a/b": entry("new")}, ("a",)), every=True)
    assert there == [False]


def test_a_file_is_brought_from_where_it_lies_or_is_staged(tmp_path, send, settled):
    send(settled(a="old"), a="newer")
    assert bring(tmp_path, "a", "old") == "old"
    assert bring(tmp_path, "a", "newer") == "newer"
    with pytest.raises(RunError, match=r"^a in the store was changed or removed"):
        bring(tmp_path, "a", "new")
    with pytest.raises(RunError, match=r"^b in the store was changed or removed"):
        bring(tmp_path, "b", "new")


def test_a_file_that_is_put_in_its_place_while_it_is_looked_for_is_found(tmp_path, send, monkeypatch):
    manifest, opened = send(a="new"), MemoryFileSystem._open

    def meanwhile(self, path, *words, **more):
        try:
            return opened(self, path, *words, **more)
        except FileNotFoundError:
            FAR.settle(manifest, every=True)
            raise

    monkeypatch.setattr(MemoryFileSystem, "_open", meanwhile)
    assert bring(tmp_path, "a", "new") == "new"


def test_a_manifest_is_read_as_it_was_written():
    assert FAR.read() == b""
    FAR.name(Manifest({"a": entry("x")}))
    assert Manifest.parsed(FAR.read()) == Manifest({"a": entry("x")})
    assert FAR.listed() == [".hepatica.json"]


def test_a_file_that_is_written_while_it_is_sent_is_an_error(send, monkeypatch):
    monkeypatch.setattr("hepatica.cohort.remote.far_folder.blocks", lambda path, size: [b"x" * size])
    with pytest.raises(UnavailableError, match="a changed while it was sent"):
        send(a="old")


def test_a_store_that_is_not_reached_is_no_empty_place(monkeypatch):
    def unreached(*_, **__):
        raise FileNotFoundError("index.html") from OSError("connection lost")

    monkeypatch.setattr(MemoryFileSystem, "open", unreached)
    with pytest.raises(UnavailableError, match="cannot be read"):
        FAR.read()


def test_a_store_that_denies_a_file_has_not_changed_it(tmp_path, settled, monkeypatch):
    def denied(*_, **__):
        raise PermissionError

    settled(a="old")
    monkeypatch.setattr(MemoryFileSystem, "_open", denied)
    with pytest.raises(SpecimenError, match="denies access"):
        bring(tmp_path, "a", "old")

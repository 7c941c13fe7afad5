"""Manifest: what was written is read, and a hostile one names nothing outside of its folder."""

import json

import pytest

from hepatica.cohort import RunError
from hepatica.cohort.remote.manifest import Entry, Manifest, is_safe, safe

DIGEST = "0f" * 32


def test_a_manifest_reads_as_it_was_written():
    own = Manifest({"a.csv": Entry(DIGEST, 3), "external/Köln 2021/b": Entry(DIGEST, 0)}, ("prepared/x",))
    assert Manifest.parsed(own.text) == own


@pytest.mark.parametrize(
    "name",
    [
        *("/etc/passwd", "..", "../a", "a/../../b", "a/./b", "a//b", "a/", "", "C:/a", "a\\b", "a::file:///etc/passwd"),
        *(".hepatica.json", ".staged/a", "a/.ssh/b", "a\nb", "a?versionId=1", "a#b", "a*", "\udc80"),
    ],
)
@pytest.mark.parametrize("where", ["files", "gone"])
def test_a_name_that_leads_elsewhere_is_refused(name, where):
    with pytest.raises(RunError, match="cannot be called"):
        safe(name)
    text = {"format": 1, "files": {}, "gone": []}
    text[where] = {name: [DIGEST, 1]} if where == "files" else [name]
    with pytest.raises(RunError):
        Manifest.parsed(json.dumps(text).encode())


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"[" * 100_000,
        b"\xff",
        b'{"format": 2, "files": {}, "gone": []}',
        b'{"format": 1, "files": {}}',
        b'{"format": 1, "files": {}, "gone": "abc"}',
        b'{"format": 1, "files": {}, "gone": {"a": 1}}',
        b'{"format": 1, "files": {}, "gone": ["%b"]}' % (b"x" * 1001),
        b'{"format": 1, "files": {"%b": ["%b", 1]}, "gone": []}' % (b"x" * 1001, DIGEST.encode()),
        b'{"format": 1, "files": {"a": ["%b", 1]}, "gone": ["a"]}' % DIGEST.encode(),
        b'{"format": 1, "files": {"a": ["%b", 1], "a/b": ["%b", 1]}, "gone": []}' % (DIGEST.encode(), DIGEST.encode()),
        *(
            b'{"format": 1, "files": {"a": %b}, "gone": []}' % each
            for each in (b"[]", b'["x", 1]', b"[1, 1]", *(f'["{DIGEST}", {n}]'.encode() for n in ("-1", "true", '"1"')))
        ),
    ],
)
def test_what_is_no_manifest_is_refused(text):
    with pytest.raises(RunError, match="is damaged or of another version"):
        Manifest.parsed(text)


def test_a_name_of_a_thousand_characters_is_one():
    own = Manifest({"x" * 1000: Entry(DIGEST, 1)}, ("y" * 1000,))
    assert Manifest.parsed(own.text) == own
    assert is_safe("x" * 1000)
    assert not is_safe("x" * 1001)


def test_a_manifest_without_an_end_is_not_read(monkeypatch):
    monkeypatch.setattr("hepatica.cohort.remote.manifest.LONGEST", 10)
    with pytest.raises(RunError, match="damaged"):
        Manifest.parsed(Manifest({}).text)

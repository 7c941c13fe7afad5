"""Fixtures: a store of two files, and a cache of its own for each test."""

from pathlib import Path

import pytest

BODY = bytes(range(256)) * 400


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("HEPATICA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("hepatica.cohort.remote.transfer._BLOCK", 40_000)
    return tmp_path / "cache"


@pytest.fixture
def server(file_server):
    file_server.files = {"/a.nii.gz": BODY, "/mask.nii.gz": b"mask"}
    return file_server


@pytest.fixture(autouse=True)
def waited(monkeypatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr("hepatica.cohort.remote.transfer.time.sleep", found.append)
    return found

"""Streams: one random stream for each thing drawn, the same whatever else is drawn and in which order."""

import zlib

import numpy as np


def generator(seed: int, *key: str | int) -> np.random.Generator:
    """The stream of `seed` for this key (words or numbers, such as a hospital, a patient, an image)."""
    spawn_key = tuple(zlib.crc32(part.encode()) if isinstance(part, str) else part for part in key)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=spawn_key)))

"""Field: the displacement that brings a pair onto each other, optimised for each pair, and what follows from it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from hepatica.learn import infer
from hepatica.networks.displacement import misplaced, warp
from hepatica.radiology.ablation.margin import EDGE, Margin, margin_of
from hepatica.radiology.ablation.store import PairStore
from hepatica.radiology.deformation import deformation, likelihood

BEFORE, AFTER, TUMOUR, ZONE = range(4)
"""Channels of a pair as networks read it, (b z 4 y x)."""


def refined(pair: np.ndarray, start: np.ndarray, *, spacing: Tensor) -> np.ndarray:
    """The field (3 z y x) in mm, from `start` on, that makes a pair (z y x 4) likeliest.

    As a network's answer is optimised for each pair in Balakrishnan 2019 (doi 10.1109/TMI.2019.2897538), here by
    free-form deformation. Not compared are tumour and zone, with a voxel about them, and what either scan lacks.
    """
    before, after, *treated = np.moveaxis(pair, -1, 0)
    field = deformation(
        before,
        np.where(after >= 0, after, np.nan),
        where=(before >= 0) & (ndimage.maximum_filter(np.maximum(*treated), 3) < EDGE),
        spacing=spacing.tolist(),
        alike=likelihood,
        start=np.moveaxis(start, 0, -1),
    )
    return np.moveaxis(field, -1, 0).astype(np.float32)


def used(network: Any, pairs: np.ndarray, found: np.ndarray) -> np.ndarray:
    """The fields (b 3 z y x) in mm of pairs (b z y x 4): those `found` by the network, refined where it asks for it."""
    if not network.refined:
        return found
    return np.stack([refined(*each, spacing=network.spacing) for each in zip(pairs, found, strict=True)])


def fields_of(network: Any, material: PairStore, *, batch: int) -> Iterator[np.ndarray]:
    """Of each pair in turn, (1 3 z y x) as `used`."""
    found = infer(network, material, batch=batch, label="registering", outputs=lambda maps: maps[:, -3:])
    for place, field in enumerate(found):
        yield used(network, material.read(np.array([place])), field[None])


def apart(fields: np.ndarray, marks: np.ndarray, *, spacing: Tensor) -> Tensor:
    """(k) mm from where fields (b 3 z y x) lead the landmarks (b n 7) that there are to where they are."""
    places = torch.from_numpy(marks)
    return misplaced(torch.from_numpy(fields), places[..., :6], spacing=spacing)[places[..., 6] > 0]


def margins_of(pairs: np.ndarray, fields: np.ndarray | None, *, spacing: Tensor) -> list[Margin]:
    """Of pairs (b z y x 4), their zones brought onto the scans before by fields (b 3 z y x), or left as they are."""
    zones = torch.from_numpy(pairs[..., ZONE])[:, None]
    if fields is not None:
        zones = warp(zones, torch.from_numpy(fields), spacing=spacing)
    both, (z, y, x) = zip(pairs[..., TUMOUR], zones[:, 0].numpy(), strict=True), spacing.tolist()
    return [margin_of(*each, spacing=(z, y, x)) for each in both]

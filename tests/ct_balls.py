"""Balls: a body of known HU in three phases with a few balls of known place and brightness."""

import numpy as np

from hepatica.radiology.dicom.geometry import Geometry

PHASES = ("plain", "arterial", "delayed")
LEVELS = {"hcc": (40, 140, 60), "cyst": (5, 5, 5)}
PLACE = Geometry(shape=(16, 48, 56), spacing=(4.0, 1.5, 1.5), origin=(-40.0, -35.0, 100.0))

HCC, CYST = ("hcc", (0.0, 0.0, 130.0), 20.0), ("cyst", (-18.0, 10.0, 125.0), 10.0)


def balls(*, lesions, geometry: Geometry = PLACE) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """HU of each phase and labels (1 and on) of `lesions`: kind, centre (x y z) mm and diameter in mm."""
    index = np.stack(np.meshgrid(*(np.arange(side) for side in geometry.shape), indexing="ij"), axis=-1)[..., ::-1]
    places = index @ geometry.lps[:3, :3].T + geometry.lps[:3, 3]
    inside = np.abs(index[..., 0] - geometry.shape[2] / 2) < 24
    labels = np.zeros(geometry.shape, np.uint8)
    values = {name: np.where(inside, 100.0 if name == "delayed" else 60.0, -1000.0) for name in PHASES}
    for label, (kind, centre, diameter) in enumerate(lesions, start=1):
        where = np.linalg.norm(places - centre, axis=-1) <= diameter / 2
        labels[where] = label
        for name, level in zip(PHASES, LEVELS[kind], strict=True):
            values[name][where] = level
    return {name: each.astype(np.int16) for name, each in values.items()}, labels

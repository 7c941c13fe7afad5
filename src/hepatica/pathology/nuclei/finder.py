"""Finder: a locked nuclear U-Net, or the baseline, as one way to find the nuclei of an image."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hepatica.cohort.errors import RunError
from hepatica.cohort.seal import unaltered
from hepatica.cohort.units import MicronsPerPixel
from hepatica.learn import load_weights, pixels_to_images, read_note
from hepatica.networks import UNet
from hepatica.pathology.nuclei.instances import Labels, baseline, part
from hepatica.pathology.nuclei.training import build_unet

WEIGHTS = "nuclei.safetensors"
"""The locked network in the folder of its training."""


@dataclass(frozen=True, kw_only=True)
class Finder:
    """Finds nuclei at `mpp`: by the network, or without one by Otsu's threshold of haematoxylin."""

    network: UNet | None = None
    mpp: MicronsPerPixel = MicronsPerPixel(0.5)

    @property
    def name(self) -> str:
        """How nuclei are found, in words."""
        return "haematoxylin-Otsu and watershed" if self.network is None else "nuclear U-Net"

    def __call__(self, image: NDArray[np.uint8]) -> Labels:
        """Nuclei of an image (h, w, 3) uint8."""
        return baseline(image) if self.network is None else part(self.maps(image[None])[0])

    def maps(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities (b, 2, h, w) of nucleus and border, of images (b, h, w, 3) uint8."""
        assert self.network is not None, "the baseline has no probabilities"
        with torch.inference_mode():
            read = pixels_to_images(np.require(images, requirements=("C", "W")))
            found: NDArray[np.float32] = self.network.eval()(read).sigmoid().numpy()
        return found


def open_finder(path: Path | None) -> Finder:
    """A finder from the folder `hepatica nuclei train` wrote, or its weight file; None gives the baseline.

    RunError where the file is absent, was changed since it was locked, or is of another kind.
    """
    if path is None:
        return Finder()
    file = path / WEIGHTS if path.is_dir() else path
    unaltered(file)
    note = read_note(file)
    if "nuclei" not in note:
        raise RunError(f"{file} holds no nuclear U-Net; name the folder that hepatica nuclei train wrote")
    shape = note["nuclei"]
    network = build_unet(width=shape["width"], levels=shape["levels"], seed=0)
    load_weights(network, file)
    return Finder(network=network, mpp=MicronsPerPixel(shape["mpp"]))

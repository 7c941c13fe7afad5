"""Deletion: how fast the answer fades as a map's brightest pixels are taken away, or grows as they are given.

Petsiuk V, Das A, Saenko K. RISE. BMVC 2018, arXiv 1806.07421, section 4.2.
"""

from collections.abc import Callable

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from hepatica.cohort.errors import SettingsError


@torch.inference_mode()
def deletion(
    answer: Callable[[Tensor], Tensor], images: Tensor, maps: np.ndarray, *, baseline: Tensor, steps: int = 20
) -> np.ndarray:
    """Answers (b, steps + 1) for images (b, c, h, w) whose brightest 0, 1 / steps … 1 of pixels have gone.

    `maps` (b, h, w) say which go first; those alike go in the order of rows. `answer` gives one number an image, and is
    asked for all images at once, steps + 1 times; put the network into evaluation mode first. `baseline`, of a shape
    that spreads to that of the images, is what gone pixels show: state it with the result, which depends on it.

    For insertion exchange images and baseline, spread to the images' shape: pixels then come.
    Raises SettingsError where maps do not fit the images or steps are fewer than 1.
    """
    if maps.shape != (len(images), *images.shape[-2:]) or steps < 1:
        raise SettingsError(f"got maps {maps.shape} for images {tuple(images.shape)} and {steps} steps (1 or more)")
    bright = rearrange(torch.from_numpy(maps), "b h w -> b (h w)")
    ranks = bright.argsort(dim=1, descending=True, stable=True).argsort(dim=1).to(images.device)
    height, pixels = images.shape[-2], bright.shape[1]
    places = rearrange(ranks, "b (h w) -> b 1 h w", h=height)
    answers = [
        answer(torch.where(places < round(pixels * step / steps), baseline, images)).float().cpu()
        for step in range(steps + 1)
    ]
    return np.asarray(torch.stack(answers, dim=1).numpy())


def area_under(answers: np.ndarray) -> np.ndarray:
    """Areas (b,) under the curves of `deletion` (b, steps + 1) over shares of pixels from 0 to 1: their mean height.

    Small is good where pixels go, large where they come.
    """
    return np.asarray(np.trapezoid(answers, dx=1 / (answers.shape[1] - 1), axis=1))

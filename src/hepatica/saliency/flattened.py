"""Flattened: how far an answer moves where a stretch of a spectrum is replaced by a straight line between its ends.

Occlusion (Zeiler and Fergus, ECCV 2014, arXiv 1311.2901) along one axis; a line in place of zeros, which would stand
out themselves (ours).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from einops import rearrange, repeat
from torch import Tensor, nn

from hepatica.cohort.errors import SettingsError
from hepatica.saliency.grad_cam import evaluating

WIDTH = 12
"""Points flattened at once (ours): 0.18 ppm of the usual acquisition, a line and its feet."""

STEP = 4
"""Points from one stretch to the next (ours)."""


def flattened(
    network: nn.Module,
    spectra: Tensor,
    *,
    target: Callable[[Any], Tensor],
    width: int = WIDTH,
    step: int = STEP,
) -> np.ndarray:
    """How far the answer to spectra (b, c, 1, w) moves with each point, whichever way: maps (b, 1, w) in 0..1.

    `target` is a function of the network's output to one number a spectrum. Each point has the mean over the stretches
    it lies in; the most of a spectrum is 1, and a spectrum that nothing moves is 0 throughout. The network answers as
    in use and is left as it was. SettingsError where stretches are not within the spectrum or leave points out.
    """
    points = spectra.shape[-1]
    if not 1 <= step <= width <= points - 2:
        raise SettingsError(f"got stretches of {width} points, {step} apart, of {points}; wanted 1 <= step <= width")
    starts = sorted({*range(0, points - width, step), points - width})
    with torch.inference_mode(), evaluating(network):
        known = target(network(spectra)).float()
        moved = np.zeros((len(spectra), points))
        times = np.zeros(points)
        for start in starts:
            answer = target(network(_flat(spectra, start, start + width))).float()
            moved[:, start : start + width] += (answer - known).abs().cpu().numpy()[:, None]
            times[start : start + width] += 1
    mean = moved / times
    most = mean.max(axis=1, keepdims=True)
    return np.asarray(rearrange(np.divide(mean, most, out=np.zeros_like(mean), where=most > 0), "b w -> b 1 w"))


def _flat(spectra: Tensor, start: int, stop: int) -> Tensor:
    """The spectra with a line from the last point before the stretch to the first after it; level at an end."""
    before, after = max(start - 1, 0), min(stop, spectra.shape[-1] - 1)
    left = spectra[..., before] if start else spectra[..., after]
    right = spectra[..., after] if stop < spectra.shape[-1] else left
    share = repeat(torch.linspace(0, 1, stop - start + 2, device=spectra.device)[1:-1], "w -> 1 1 1 w")
    line = rearrange(left, "b c h -> b c h 1") * (1 - share) + rearrange(right, "b c h -> b c h 1") * share
    return torch.cat([spectra[..., :start], line, spectra[..., stop:]], dim=-1)

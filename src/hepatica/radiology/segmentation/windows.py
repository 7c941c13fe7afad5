"""Windows: a network slides over a volume, window by window along z, in memory that the window's depth bounds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

Read = Callable[[int, int], np.ndarray]
"""Slices from one to before another of a volume, which may lie beyond its ends, (z y x) float32."""

Predict = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Windows (b, channels, y, x), or solid (b, z, 1, y, x), to probabilities of the same size, (b, classes, [z,] y, x),
and a signature (b, d) of each window."""


@dataclass(frozen=True, kw_only=True)
class Sliding:
    """Windows of `voxels` (z y x) that overlap by the share `overlap` of each side; slices have `depth` - 1 around them
    as channels, unless windows are `solid`. Where windows overlap the mean counts, `gaussian`: more in their middle.
    `flips`: the mean over the four mirrorings along y and x.
    """

    voxels: tuple[int, int, int]
    depth: int = 1
    solid: bool = False
    overlap: float = 0.25
    weighting: Literal["constant", "gaussian"] = "constant"
    flips: bool = False
    batch: int = 4

    def weights(self) -> Tensor:
        """(z y x): how much each voxel of a window counts; SD of an eighth of a side, and not less than a thousandth,
        as MONAI has it.
        """
        if self.weighting == "constant":
            return torch.ones(self.voxels)
        sides = [torch.arange(side) - (side - 1) / 2 for side in self.voxels]
        z, y, x = (torch.exp(-((each / (len(each) / 8)) ** 2) / 2) for each in sides)
        found = z[:, None, None] * y[:, None] * x
        return found.clamp(min=max(float(found.min()), 1e-3))

    def starts(self, shape: Sequence[int]) -> tuple[list[int], ...]:
        """Where windows begin along each axis, the last one at the end."""
        return tuple(_starts(n, side, overlap=self.overlap) for n, side in zip(shape, self.voxels, strict=True))


def _starts(count: int, side: int, *, overlap: float) -> list[int]:
    last, step = max(0, count - side), max(1, int(side * (1 - overlap)))
    return [*range(0, last, step), last]


@dataclass(frozen=True, kw_only=True, eq=False)
class Planes:
    """Finished slices from `first` on: probabilities (classes, z, y, x), and the mean signature (z, d) of the windows
    that cover each.
    """

    first: int
    probabilities: np.ndarray = field(repr=False)
    signatures: np.ndarray = field(repr=False)


def slide(read: Read, shape: tuple[int, int, int], predict: Predict, *, sliding: Sliding) -> Iterator[Planes]:
    """The probabilities of a volume of this shape, its slices in order, each as soon as no further window covers it.

    Memory: the slices of one window, whatever the volume's length. A window of one value throughout, such as air, is
    read once for each value. A volume smaller than a window is continued: in z as `read` does, else by zeros.
    """
    along_z, along_y, along_x = sliding.starts(shape)
    depth, height, width = sliding.voxels
    padded = max(shape[1], height), max(shape[2], width)
    places, weights = list(product(along_y, along_x)), sliding.weights()
    known: dict[Any, Any] = {}
    total: Tensor | None = None
    for start, following in zip(along_z, [*along_z[1:], None], strict=True):
        reach = 0 if sliding.solid else sliding.depth // 2
        slab = np.zeros((depth + 2 * reach, *padded), np.float32)
        slab[:, : shape[1], : shape[2]] = read(start - reach, start + depth + reach)
        for (y, x), found, signature in _predicted(slab, places, predict, known, sliding):
            if total is None:
                total, seen = torch.zeros(len(found), depth, *padded), torch.zeros(depth, *padded)
                signs = torch.zeros(depth, signature.numel() + 1)
            total[:, :, y : y + height, x : x + width].addcmul_(found, weights)
            seen[:, y : y + height, x : x + width] += weights
            signs += torch.cat([signature, torch.ones(1)])
        assert total is not None
        done = min(depth, shape[0] - start) if following is None else following - start
        mean = (total[:, :done] / seen[:done])[..., : shape[1], : shape[2]]
        signed = signs[:done, :-1] / signs[:done, -1:]
        yield Planes(first=start, probabilities=mean.numpy(), signatures=signed.numpy())
        total, seen, signs = (_onward(each, done, axis) for each, axis in ((total, 1), (seen, 0), (signs, 0)))


def _onward(values: Tensor, done: int, axis: int) -> Tensor:
    """The rest moved to the front, in place, zeros behind."""
    left = values.shape[axis] - done
    values.narrow(axis, 0, left).copy_(values.narrow(axis, done, left).clone())
    values.narrow(axis, left, done).zero_()
    return values


def _predicted(
    slab: np.ndarray,
    places: Sequence[tuple[int, int]],
    predict: Predict,
    known: dict[float, tuple[Tensor, Tensor]],
    sliding: Sliding,
) -> Iterator[tuple[tuple[int, int], Tensor, Tensor]]:
    """Place, probabilities (classes, z, y, x) and signature (d,) of every window of a slab."""
    _, height, width = sliding.voxels
    cut = {(y, x): slab[:, y : y + height, x : x + width] for y, x in places}
    blank = {place: float(each.flat[0]) for place, each in cut.items() if np.ptp(each) == 0}
    for value in set(blank.values()) - known.keys():
        known[value] = next(_run([np.full_like(next(iter(cut.values())), value)], predict, sliding))
    yield from ((place, *known[value]) for place, value in blank.items())
    rest = iter([place for place in places if place not in blank])
    while batch := list(islice(rest, sliding.batch)):
        yield from ((place, *each) for place, each in zip(batch, _run([cut[p] for p in batch], predict, sliding),
                                                          strict=True))  # fmt: skip


def _run(windows: Sequence[np.ndarray], predict: Predict, sliding: Sliding) -> Iterator[tuple[Tensor, Tensor]]:
    values = torch.from_numpy(np.stack(windows))
    values = values[:, :, None] if sliding.solid else values
    found, signature = predict(values)
    if sliding.flips:
        every = [(axes, *predict(values.flip(axes))) for axes in ((-1,), (-2,), (-2, -1))]
        found = torch.stack([found, *(each.flip(axes) for axes, each, _ in every)]).mean(dim=0)
        signature = torch.stack([signature, *(each for _, _, each in every)]).mean(dim=0)
    yield from zip(found if sliding.solid else found[:, :, None], signature, strict=True)

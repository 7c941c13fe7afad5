"""Displacement: a U-Net that brings one volume onto another, and what it is trained by (Balakrishnan, IEEE Trans Med
Imaging 2019;38:1788, doi 10.1109/TMI.2019.2897538).

Departures: the field is in mm, and made at half of the resolution, which is smoother and takes an eighth of the memory.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from einops import rearrange, reduce
from torch import Tensor, nn
from torch.nn.functional import avg_pool3d, grid_sample, interpolate, leaky_relu


class DisplacementUNet(nn.Module):
    """Two volumes (b, 2, z, y, x) to where each place of the first is found in the second, less itself: (b, 3, z, y, x)
    mm along z, y and x. `spacing` are the sides of a voxel in mm; sides are multiples of 2 ** `levels`.
    """

    def __init__(self, *, spacing: Sequence[float], width: int = 16, levels: int = 4) -> None:
        super().__init__()
        wide = [width, *([2 * width] * (levels - 1))]
        self.down = nn.ModuleList(nn.Conv3d(a, b, 3, stride=2, padding=1) for a, b in pairwise([2, *wide]))
        self.up = nn.ModuleList(nn.Conv3d(4 * width, 2 * width, 3, padding=1) for _ in range(levels - 2))
        self.last = nn.Conv3d(3 * width, width, 3, padding=1)
        self.field = nn.Conv3d(width, 3, 3, padding=1)
        for each in self.field.parameters():
            nn.init.normal_(each, std=1e-2)  # begins near no displacement
        self.register_buffer("spacing", torch.tensor(list(spacing), dtype=torch.float32))

    def forward(self, volumes: Tensor) -> Tensor:
        """The field of a batch."""
        kept: list[Tensor] = []
        maps = volumes
        for block in self.down:
            maps = leaky_relu(block(maps), 0.2)
            kept.append(maps)
        for block, beside in zip([*self.up, self.last], kept[-2::-1], strict=True):
            maps = leaky_relu(block(torch.cat([_twice(maps), beside], dim=1)), 0.2)
        return _twice(self.field(maps))


def _twice(maps: Tensor) -> Tensor:
    return interpolate(maps, scale_factor=2, mode="trilinear", align_corners=False)


def warp(volumes: Tensor, field: Tensor, *, spacing: Tensor) -> Tensor:
    """`volumes` (b, c, z, y, x) at the places that `field` (b, 3, z, y, x) mm leads to; 0 beyond the edge."""
    sides = torch.tensor(field.shape[2:], device=field.device)
    at = torch.stack(torch.meshgrid(*(torch.arange(n, device=field.device) for n in field.shape[2:]), indexing="ij"))
    places = at + field / spacing.view(3, 1, 1, 1)
    scaled = 2 * places / (sides - 1).view(3, 1, 1, 1) - 1
    return grid_sample(volumes, rearrange(scaled.flip(1), "b c z y x -> b z y x c"), align_corners=True)


def unlike(first: Tensor, second: Tensor, *, where: Tensor, window: int = 5) -> Tensor:
    """1 less the mean square of the local correlation of two volumes (b, 1, z, y, x) in cubes of `window` voxels,
    weighted by `where` (b, 1, z, y, x).
    """

    def mean(values: Tensor) -> Tensor:
        return avg_pool3d(values, window, stride=1, padding=window // 2, count_include_pad=False)

    one, other = first - mean(first), second - mean(second)
    together = mean(one * other) ** 2
    local = together / (mean(one**2) * mean(other**2) + 1e-5)
    return 1 - (local * where).sum() / where.sum().clamp(min=1)


def roughness(field: Tensor, *, spacing: Tensor) -> Tensor:
    """Mean square of the slope (mm/mm) of a field (b, 3, z, y, x) mm along z, y and x."""
    slopes = [(torch.diff(field, dim=2 + axis) / spacing[axis]).square().mean() for axis in range(3)]
    return torch.stack(slopes).mean()


def misplaced(field: Tensor, landmarks: Tensor, *, spacing: Tensor) -> Tensor:
    """(b, n) mm from where `field` leads the landmarks to where they are; `landmarks` (b, n, 6): mm along z, y and x
    from the first voxel, of the first volume and of the second.
    """
    first, second = landmarks[..., :3], landmarks[..., 3:6]
    sides = torch.tensor(field.shape[2:], device=field.device)
    scaled = 2 * first / spacing / (sides - 1) - 1
    led = grid_sample(field, rearrange(scaled.flip(-1), "b n c -> b n 1 1 c"), align_corners=True)
    return (first + rearrange(led, "b c n 1 1 -> b n c") - second).square().sum(dim=-1).clamp(min=1e-6).sqrt()


def folded_share(field: Tensor, *, spacing: Tensor) -> Tensor:
    """(b,) share of voxels where a field (b, 3, z, y, x) mm turns space inside out."""
    slopes = torch.stack([torch.gradient(field, dim=2 + axis)[0] / spacing[axis] for axis in range(3)], dim=-1)
    jacobian = rearrange(slopes, "b c z y x d -> b z y x c d") + torch.eye(3, device=field.device)
    share: Tensor = reduce((torch.linalg.det(jacobian) <= 0).float(), "b z y x -> b", "mean")
    return share

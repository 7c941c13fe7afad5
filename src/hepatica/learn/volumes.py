"""Volumes: random views of crops of several channels, flat or solid, another draw for every crop.

Each step takes and returns crops on [0, 1], (b, c, y, x) or, as stores of solid crops hand them out, (b, z, c, y, x).
Draws come from torch's own generator, as in `augmentation`.
"""

import math

import torch
from einops import rearrange, repeat
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from hepatica.cohort.errors import SettingsError
from hepatica.learn.augmentation import Augment

Voxels = tuple[float, float, float]
"""Along z, y and x."""


def moved(
    *,
    degrees: float = 0.0,
    zoom: float = 0.0,
    shift: Voxels = (0.0, 0.0, 0.0),
    apart: Voxels = (0.0, 0.0, 0.0),
    flip: bool = False,
) -> Augment:
    """Turn, zoom, shift and mirror, with one linear interpolation; beyond its edge a crop repeats its last voxel.

    The angle is uniform in -degrees..degrees, in the plane of y and x; the factor of each axis log-uniform in
    1 / (1 + zoom)..1 + zoom; the shift of all channels uniform within `shift`, and that of each channel beyond it
    within `apart`, in voxels. `flip` mirrors each axis with probability 1/2. SettingsError for a negative number.
    """
    if min(degrees, zoom, *shift, *apart) < 0:
        raise SettingsError(f"moved needs numbers of 0 or more, not {(degrees, zoom, *shift, *apart)}.")

    def view(crops: Tensor) -> Tensor:
        solid = crops[:, None] if crops.dim() == 4 else crops
        count, _, channels, *_ = solid.shape
        sides = torch.tensor([solid.shape[4], solid.shape[3], solid.shape[1]], device=crops.device)  # x, y, z
        places = _turned(count, sides, degrees) * _scaled(count, zoom, flip, device=crops.device)[:, None]
        offset = repeat(_within(count, shift, sides), "b i -> b c i", c=channels)
        offset = offset + rearrange(_within(count * channels, apart, sides), "(b c) i -> b c i", b=count)
        every = torch.cat([repeat(places, "b i j -> b c i j", c=channels), offset[..., None]], dim=-1)
        single = rearrange(solid, "b z c y x -> (b c) 1 z y x")
        grid = affine_grid(rearrange(every, "b c i j -> (b c) i j"), list(single.shape), align_corners=False)
        seen = grid_sample(single, grid.to(single), padding_mode="border", align_corners=False)
        found = rearrange(seen, "(b c) 1 z y x -> b z c y x", b=count)
        return found[:, 0] if crops.dim() == 4 else found

    return view


def _turned(count: int, sides: Tensor, degrees: float) -> Tensor:
    """(b, 3, 3) rotations in the plane of x and y, edges at -1 and 1: a circle stays one in a crop of any sides."""
    angle = torch.empty(count, device=sides.device).uniform_(-1, 1) * math.radians(degrees)
    cos, sin = angle.cos(), angle.sin()
    places = torch.eye(3, device=sides.device).repeat(count, 1, 1)
    places[:, 0, 0], places[:, 0, 1] = cos, -sin * sides[1] / sides[0]
    places[:, 1, 0], places[:, 1, 1] = sin * sides[0] / sides[1], cos
    return places


def _scaled(count: int, zoom: float, flip: bool, *, device: torch.device) -> Tensor:
    """(b, 3) factors of each axis, negative where it is mirrored."""
    factors = (math.log1p(zoom) * (2 * torch.rand(count, 3, device=device) - 1)).exp()
    return factors * (1 - 2 * (torch.rand(count, 3, device=device) < 0.5).float()) if flip else factors


def _within(count: int, most: Voxels, sides: Tensor) -> Tensor:
    """(n, 3) shifts along x, y and z, edges of crops at -1 and 1."""
    voxels = torch.tensor(most[::-1], device=sides.device) * (2 * torch.rand(count, 3, device=sides.device) - 1)
    return 2 * voxels / sides


def brightened(*, gain: float = 0.0, offset: float = 0.0) -> Augment:
    """Make each channel of a crop starker and brighter by itself; the result is clipped to [0, 1].

    Distances to mid-grey are multiplied by a normal draw of mean 1 and standard deviation `gain`, and a normal draw of
    standard deviation `offset` is added.
    """

    def changed(crops: Tensor) -> Tensor:
        axis = 1 if crops.dim() == 4 else 2
        shape = [1] * crops.dim()
        shape[0], shape[axis] = crops.shape[0], crops.shape[axis]
        starker, brighter = 1 + gain * torch.randn(shape).to(crops), offset * torch.randn(shape).to(crops)
        return ((crops - 0.5) * starker + 0.5 + brighter).clamp(0, 1)

    return changed

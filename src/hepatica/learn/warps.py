"""Warps: random crops, rotations and perspectives of a batch of images, another draw for every image.

Each warp says for every image where in it the pixels of the new image lie; `warp` joins all of them before it looks up
a pixel, so that an image is interpolated once however many there are.
"""

import math
from collections.abc import Callable

import torch
from einops import rearrange
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, pad

from hepatica.cohort.errors import SettingsError
from hepatica.learn.augmentation import Augment

Warp = Callable[[Tensor], Tensor]
"""Images (b, c, h, w) to homographies (b, 3, 3), from new to old positions (x, y, 1), edges of images at -1 and 1."""

CORNERS = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))

MOST_DISTORTION = 0.6
"""From 2/3 on, the corners of a perspective may no longer be those of a convex quadrilateral."""


def warp(*warps: Warp) -> Augment:
    """Apply warps as if one after the other, with one bilinear interpolation; size and range of the images stay.

    What lies outside an image is black. What a crop cut off may come back where a later warp turns it into view.
    """

    def warped(images: Tensor) -> Tensor:
        places = torch.eye(3, device=images.device).expand(len(images), 3, 3)
        for one in warps:
            places = places @ one(images)
        flat = affine_grid(places[:, :2], list(images.shape), align_corners=False)
        # affine_grid leaves out the third row, by which a perspective divides.
        last = pad(places[:, 2:], (0, 0, 0, 1))
        depth = affine_grid(last, list(images.shape), align_corners=False)[..., :1]
        grid = torch.where(depth > 1e-6, flat / depth, 2.0)
        inside = rearrange((grid.abs() <= 1).all(dim=-1), "b h w -> b 1 h w")
        # Padding with zeros would darken the rim of an image that is only enlarged.
        return grid_sample(images, grid, padding_mode="border", align_corners=False).clamp(0, 1) * inside

    return warped


def crop(*, area: tuple[float, float] = (0.08, 1.0), aspect: tuple[float, float] = (3 / 4, 4 / 3)) -> Warp:
    """Enlarge a random rectangle to the whole image: random resized crop.

    `area` bounds its share of the image, uniform; `aspect` its width / height over that of the image, log-uniform. A
    side longer than the image's is cut to it. Source of the defaults: Szegedy et al. 2015, arXiv 1409.4842, section 6.
    """
    _require(0 < area[0] <= area[1] <= 1, f"crop needs 0 < smallest <= largest area <= 1, not {area}")
    _require(0 < aspect[0] <= aspect[1], f"crop needs 0 < smallest <= largest aspect, not {aspect}")

    def cropped(images: Tensor) -> Tensor:
        count, device = len(images), images.device
        share = torch.empty(count, device=device).uniform_(*area)
        low, high = (math.log(each) for each in aspect)
        ratio = torch.empty(count, device=device).uniform_(low, high).exp()
        sides = torch.stack([(share * ratio).sqrt(), (share / ratio).sqrt()], dim=1).clamp(max=1)
        centres = (2 * torch.rand_like(sides) - 1) * (1 - sides)
        places = torch.diag_embed(pad(sides, (0, 1), value=1.0))
        places[:, :2, 2] = centres
        return places

    return cropped


def rotation(*, degrees: float) -> Warp:
    """Turn about the middle by an angle uniform in -degrees..degrees, in pixels: a circle stays one in any image."""
    _require(0 <= degrees <= 180, f"rotation needs degrees in 0..180, not {degrees}")

    def turned(images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        angle = torch.empty(len(images), device=images.device).uniform_(-1, 1) * math.radians(degrees)
        cos, sin = angle.cos(), angle.sin()
        places = torch.eye(3, device=images.device).repeat(len(images), 1, 1)
        places[:, 0, 0], places[:, 0, 1] = cos, -sin * height / width
        places[:, 1, 0], places[:, 1, 1] = sin * width / height, cos
        return places

    return turned


def perspective(*, distortion: float, p: float = 0.5) -> Warp:
    """See the image, with probability `p`, from aside: each corner goes inwards by up to `distortion` of half a side.

    Both of a corner's coordinates are drawn on their own, uniformly.
    """
    _require(0 <= distortion <= MOST_DISTORTION, f"perspective needs distortion in 0..0.6, not {distortion}")
    _require(0 <= p <= 1, f"a probability must be in [0, 1], not {p}")

    def seen(images: Tensor) -> Tensor:
        count, device = len(images), images.device
        corners = torch.tensor(CORNERS, device=device)
        inwards = torch.rand(count, 4, 2, device=device) * distortion
        chosen = rearrange(torch.rand(count, device=device) < p, "b -> b 1 1")
        return _homographies(corners * (1 - inwards * chosen), corners.expand(count, 4, 2))

    return seen


def _homographies(new: Tensor, old: Tensor) -> Tensor:
    """Solve for the homographies (b, 3, 3) that take four new points (b, 4, 2) to four old ones."""
    one, none = torch.ones_like(new[..., :1]), torch.zeros_like(new)
    x, y = old[..., :1], old[..., 1:]
    for_x = torch.cat([new, one, none, 0 * one, -x * new], dim=2)
    for_y = torch.cat([none, 0 * one, new, one, -y * new], dim=2)
    equations = torch.cat([for_x, for_y], dim=1)
    entries = torch.linalg.solve(equations, torch.cat([x, y], dim=1))
    return rearrange(pad(rearrange(entries, "b n 1 -> b n"), (0, 1), value=1.0), "b (i j) -> b i j", i=3)


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise SettingsError(f"{message}.")

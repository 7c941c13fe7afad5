"""Anatomy: the organs of one phantom abdomen, each with its own size, place and bumps."""

from dataclasses import dataclass

import numpy as np

from hepatica.radiology.phantom.enhancement import Tissue
from hepatica.radiology.phantom.scanner import smooth_noise
from hepatica.radiology.phantom.shapes import Grid, ellipsoid, tube

_RIGHT_PORTAL = ((-30, -8, 2), (-76, 0, 8), 6.0)
_PORTAL = (  # start, end, radius in millimetres
    ((10, 0, -85), (15, 5, -20), 6.0),  # superior mesenteric
    ((15, 5, -20), (92, 38, 8), 4.0),  # splenic
    ((15, 5, -20), (-30, -8, 2), 7.5),
    ((-30, -8, 2), (5, -42, 18), 4.5),
    ((5, -42, 18), (42, -52, 28), 3.0),
    ((-76, 0, 8), (-108, -32, 22), 3.5),
    ((-76, 0, 8), (-112, 32, -14), 3.5),
    _RIGHT_PORTAL,
)
_HEPATIC = (
    ((-20, 27, 48), (-98, 14, 18), 4.5),
    ((-20, 27, 48), (-62, -42, 4), 4.0),
    ((-20, 27, 48), (12, -46, 24), 4.0),
)

BRANCHINGS = tuple(dict.fromkeys(place for start, end, _ in (*_PORTAL[2:], *_HEPATIC) for place in (start, end)))
"""Where vessels in and at the liver branch or end, x, y and z in mm."""


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """A body without lesions: `labels` (z, y, x) of Tissue, `liver` (z, y, x) bool with the vessels inside it,
    `liver_depth` (z, y, x) millimetres below the liver's surface, about.
    """

    labels: np.ndarray
    liver: np.ndarray
    liver_depth: np.ndarray


def draw_anatomy(rng: np.random.Generator, grid: Grid, *, fibrosis: int, invasion: bool, flat_table: bool) -> Anatomy:
    """One abdomen; METAVIR `fibrosis` makes the liver's surface knobbly and the spleen large.

    `invasion`: the right branch of the portal vein holds tumour.
    """
    body = _Body(rng, grid, fibrosis=fibrosis)
    body.wall(flat_table=flat_table)
    body.hollow_organs()
    body.solid_organs()
    depth = body.liver()
    body.vessels(invasion=invasion)
    body.skeleton()
    liver = (depth > 0) & np.isin(
        body.labels, (Tissue.LIVER, Tissue.PORTAL_VEIN, Tissue.HEPATIC_VEIN, Tissue.TUMOUR_THROMBUS)
    )
    return Anatomy(labels=body.labels, liver=liver, liver_depth=depth)


class _Body:
    """The canvas: organs are painted one over the other."""

    def __init__(self, rng: np.random.Generator, grid: Grid, *, fibrosis: int) -> None:
        self.rng, self.grid, self.fibrosis = rng, grid, fibrosis
        self.labels = np.full(grid.shape, Tissue.AIR, dtype=np.uint8)
        self.bumps = smooth_noise(rng, shape=grid.shape, grain=grid.grain(45))
        self.width = float(np.clip(rng.normal(165, 9), 140, 185))
        self.depth = float(np.clip(self.width * rng.normal(0.75, 0.025), 105, 138))
        self.fat = float(rng.uniform(8, 22))
        inside = self.fat + 15
        self.cavity = self._tube((0, -4), (self.width - inside, self.depth - inside))

    def _tube(self, centre: tuple[float, float], radii: tuple[float, float]) -> np.ndarray:
        return ellipsoid(self.grid, centre=(*centre, 0), radii=(*radii, np.inf))

    def _organ(self, centre: tuple[float, ...], radii: tuple[float, ...], *, bumps: float = 3) -> np.ndarray:
        """An ellipsoid a little off its place and size, with bumps of so many millimetres."""
        place = np.array(centre) + self.rng.normal(0, 3, 3)
        size = np.array(radii) * np.exp(self.rng.normal(0, 0.06, 3))
        return ellipsoid(self.grid, centre=place.tolist(), radii=size.tolist()) + bumps * self.bumps

    def _paint(self, where: np.ndarray, tissue: Tissue) -> None:
        np.copyto(self.labels, np.uint8(tissue), where=where)

    def wall(self, *, flat_table: bool) -> None:
        lowest = self.depth + 6
        table = lowest if flat_table else lowest - 0.0012 * self.grid.x**2
        below = self.grid.y - table
        self._paint((below > 0) & (below < 8) & (np.abs(self.grid.x) < 185), Tissue.TABLE)
        skin = self._tube((0, 0), (self.width, self.depth))
        self._paint(skin > 0, Tissue.SKIN)
        self._paint(skin > 2.5, Tissue.FAT)
        self._paint(self.cavity > -14, Tissue.MUSCLE)
        self._paint(self.cavity > 0, Tissue.FAT)
        for side in (-1, 1):
            self._paint(self._tube((side * 34, self.depth - 32), (28, 20)) > 0, Tissue.MUSCLE)
            self._paint((self._tube((side * 36, 58), (14, 14)) > 0) & (self.grid.z < 0), Tissue.MUSCLE)

    def hollow_organs(self) -> None:
        loops = smooth_noise(self.rng, shape=self.grid.shape, grain=self.grid.grain(16))
        front = (self.cavity > 6) & (self.grid.y < 20) & (self.grid.z < 15)
        self._paint(front & (loops > 0.1), Tissue.BOWEL)
        self._paint(front & (loops > 1.7), Tissue.GAS)
        domes = self._organ((-68, -5, 0), (80, 105, 72)), self._organ((72, 5, 0), (72, 100, 66))
        above = np.maximum(*domes) < -4
        self._paint((self.cavity > 1) & above & (self.grid.z > 10), Tissue.LUNG)
        self._paint(self._organ((22, -32, 88), (58, 46, 36)) > 0, Tissue.HEART)
        stomach = self._organ((62, -30, 22), (42, 42, 38), bumps=4)
        self._paint((stomach > 0) & (self.cavity > 2), Tissue.BOWEL)
        self._paint((stomach > 5) & (self.cavity > 7), Tissue.STOMACH)
        self._paint((stomach > 5) & (self.cavity > 7) & (self.grid.y < -52), Tissue.GAS)

    def solid_organs(self) -> None:
        self._paint(self._organ((22, 0, -22), (58, 13, 15)) > 0, Tissue.PANCREAS)
        large = 1 + 0.07 * self.fibrosis
        spleen = self._organ((102, 38, 18), (30 * large, 46 * large, 44 * large))
        self._paint((spleen > 0) & (self.cavity > 3), Tissue.SPLEEN)
        for side, lower in ((-1, 8), (1, 0)):
            kidney = self._organ((side * 66, 50, -46 - lower), (27, 29, 52), bumps=1.5)
            self._paint((kidney > 0) & (self.cavity > 0), Tissue.KIDNEY_CORTEX)
            self._paint(kidney > 7, Tissue.KIDNEY_MEDULLA)
            self._paint(kidney > 17, Tissue.FAT)

    def liver(self) -> np.ndarray:
        """Paint liver and gallbladder; depth below the liver's surface."""
        knobs = smooth_noise(self.rng, shape=self.grid.shape, grain=self.grid.grain(14))
        right = self._organ((-70, -3, 0), (76 - 2 * self.fibrosis, 88, 70), bumps=5)
        left = self._organ((4, -46, 22), (74 + 2 * self.fibrosis, 40, 36), bumps=4)
        lobes = np.maximum(right, left) + (0.4 + 0.6 * self.fibrosis) * knobs
        gallbladder = self._organ((-40, -48, -34), (15, 20, 24), bumps=1)
        depth = np.minimum(np.minimum(lobes, self.cavity - 3), -gallbladder - 1)
        self._paint(depth > 0, Tissue.LIVER)
        self._paint(gallbladder > 0, Tissue.GALLBLADDER)
        return np.asarray(depth)

    def vessels(self, *, invasion: bool) -> None:
        for start, end, radius in _HEPATIC:
            self._paint(tube(self.grid, start=start, end=end, radius=radius) > 0, Tissue.HEPATIC_VEIN)
        for start, end, radius in _PORTAL:
            self._paint(tube(self.grid, start=start, end=end, radius=radius) > 0, Tissue.PORTAL_VEIN)
        if invasion:
            start, end, radius = _RIGHT_PORTAL
            self._paint(tube(self.grid, start=start, end=end, radius=1.4 * radius) > 0, Tissue.TUMOUR_THROMBUS)
        self._paint(self._tube((-22, 32), (12, 10)) > 0, Tissue.VENA_CAVA)
        self._paint(self._tube((8, 38), (10.5, 10.5)) > 0, Tissue.AORTA)

    def skeleton(self) -> None:
        level = np.mod(self.grid.z + self.rng.uniform(0, 34), 34)
        vertebra = self._tube((0, 64), (22, 17)) > 0
        self._paint(vertebra & (level > 8), Tissue.BONE)
        self._paint(vertebra & (level <= 8), Tissue.DISC)
        arch = self._tube((0, 88), (17, 13)) > 0
        process = self._tube((0, 104), (4, 14)) > 0
        self._paint((arch | process) & (level > 12), Tissue.BONE)
        self._paint(self._tube((0, 87), (10, 8)) > 0, Tissue.SPINAL_CANAL)
        oblique = np.mod(self.grid.z + 0.5 * self.grid.y + self.rng.uniform(0, 26), 26)
        ring = (self.cavity < -2) & (self.cavity > -10)
        self._paint(ring & (oblique < 11) & (self.grid.y > -75), Tissue.BONE)

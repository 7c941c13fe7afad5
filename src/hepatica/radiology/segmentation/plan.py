"""Plan: what a system of segmentation reads, how it learns from patches, and how it slides over a volume."""

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from hepatica.cohort import SettingsError
from hepatica.learn import Loss, Plan, segmentation_loss
from hepatica.radiology.masks.mask import LABELS
from hepatica.radiology.segmentation.patches import Patching
from hepatica.radiology.segmentation.windows import Sliding

Part = Literal["liver", "lesions"]
"""What is segmented: lesions lie in the liver."""

Fraction01 = Annotated[float, Field(ge=0, le=1)]
"""A share, ends included."""


Weight = Annotated[float, Field(ge=0)]


@dataclass(frozen=True, kw_only=True)
class SegmentPlan(Plan):
    """Settings of a system of segmentation."""

    endpoint: str = "outlines"
    """Endpoint of outlined regions."""
    classes: tuple[Part, ...] = ("liver", "lesions")
    """What is segmented, the outer first."""
    phase: str = "portal venous"
    """Phase or sequence that is read; the one scanned nearest where a study lacks it."""
    voxel_mm: tuple[PositiveFloat, PositiveFloat, PositiveFloat] | None = None
    """Size of voxels along z, y and x to which volumes are resampled, mm; none: as scanned."""
    hu: tuple[float, float] = (-200.0, 250.0)
    """Hounsfield units that become 0 and 1; of MR the 1st and 99th percentile of the body do."""
    voxels: tuple[PositiveInt, PositiveInt, PositiveInt] = (1, 224, 224)
    """Voxels of a patch, and of a window, along z, y and x; one along z: slices."""
    depth: PositiveInt = 1
    """Adjacent slices that are read as channels, the one that is segmented in the middle; an odd number."""
    patches: PositiveInt = 8
    """Patches of each training study in an epoch."""
    shares: tuple[Fraction01, ...] = (0.4, 0.4)
    """Shares of patches that are centred on a voxel of each class; the others lie anywhere."""
    zoom: Annotated[float, Field(ge=0, le=2)] = 0.0
    """Largest zoom in augmentation; 0.25: from 1/1.25 to 1.25."""
    turn: bool = False
    """Whether augmentation mirrors patches and turns them by quarters."""
    gain: Fraction01 = 0.0
    """Standard deviation of the factor of contrast in augmentation."""
    offset: Fraction01 = 0.0
    """Standard deviation of what is added in augmentation, on 0 to 1."""
    noise: Fraction01 = 0.0
    """Standard deviation of the noise of each voxel in augmentation, on 0 to 1."""
    dice: Weight = 1.0
    """Weight of 1 minus Dice beside cross-entropy in the loss."""
    class_weights: tuple[Weight, Weight, Weight] = (0.78, 0.65, 8.57)
    """Weight of a voxel of neither, of liver and of lesions in cross-entropy; those of Li 2018 (arXiv 1709.07330)."""
    overlap: Annotated[float, Field(ge=0, lt=1)] = 0.25
    """Share of a window's side by which it overlaps the next."""
    weighting: Literal["constant", "gaussian"] = "gaussian"
    """How windows are averaged where they overlap: gaussian counts more in their middle."""
    flips: bool = False
    """Whether each window is also read mirrored along y, x and both, and the mean taken."""
    cuts: tuple[Fraction01, ...] = (0.5, 0.5)
    """Probability from which on a voxel is of each class."""
    least_mm: Annotated[float, Field(ge=0)] = 3.0
    """Diameter of the smallest lesion that is kept, mm."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not len(self.classes) == len(self.cuts) == len(self.shares) or sum(self.shares) > 1 or not self.depth % 2:
            raise SettingsError(
                f"got {len(self.classes)} classes, {len(self.cuts)} cuts, the shares {self.shares} and a depth of"
                f" {self.depth}; wanted as many cuts and shares as classes, shares of 1 at most together, an odd depth"
            )

    @property
    def solid(self) -> bool:
        """Whether patches are solid, and not slices."""
        return self.voxels[0] > 1

    @property
    def loss(self) -> Loss:
        """Cross-entropy, by class, and Dice."""
        weights = [self.class_weights[each] for each in (0, *(LABELS[name] for name in self.classes))]
        return segmentation_loss(weights=weights, dice=self.dice)

    @property
    def patching(self) -> Patching:
        """How patches are drawn."""
        return Patching(
            voxels=self.voxels, classes=self.classes, shares=self.shares, zoom=self.zoom, turn=self.turn,
            gain=self.gain, offset=self.offset, noise=self.noise,
        )  # fmt: skip

    @property
    def still(self) -> Patching:
        """The same without augmentation."""
        return replace(self.patching, zoom=0.0, turn=False, gain=0.0, offset=0.0, noise=0.0)

    @property
    def sliding(self) -> Sliding:
        """How windows are laid."""
        return Sliding(
            voxels=self.voxels, depth=self.depth, solid=self.solid, overlap=self.overlap, weighting=self.weighting,
            flips=self.flips, batch=self.batch,
        )  # fmt: skip

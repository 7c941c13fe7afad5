"""Settings: every number phantom CT and MR are made from."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PhantomSettings:
    """What phantom CT and MR are made from; ours.

    "Hard" numbers hold at difficulty 1 and shrink in proportion to it.
    """

    expert_share: float = 0.8  # of patients with and without HCC whose nodules experts outlined, rounded up
    matrix: int = 256
    slices: int = 32
    thickness_mm: float = 5.0  # slices touch
    field_of_view_mm: float = 400.0
    contrast_lost_when_hard: float = 0.6  # of lesion against liver
    noise_added_when_hard: float = 1.0  # of the hospital's own noise


STANDARD = PhantomSettings()
"""The phantom of the demo, the docs and the tests."""

STANDARD_MR = PhantomSettings(matrix=192)
"""That of MR, whose pixels are larger."""

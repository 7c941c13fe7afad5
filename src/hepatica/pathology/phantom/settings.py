"""Settings: every number phantom slides are made from."""

from dataclasses import dataclass

from hepatica.cohort.units import Microns, MicronsPerPixel, SlidePixels

MICROSCOPES = ("brightfield", "multiphoton")


@dataclass(frozen=True, kw_only=True)
class PhantomSettings:
    """What phantom slides are made from; ours.

    "Hard" numbers hold at difficulty 1 and shrink in proportion to it; an effect loses `effect_lost_when_hard` of its
    size at difficulty 1.
    """

    images: int = 2
    side: SlidePixels = SlidePixels(1024)
    mpp: MicronsPerPixel = MicronsPerPixel(0.5)
    nucleus_mild: Microns = Microns(6.8)
    nucleus_aggressive: Microns = Microns(11.2)
    lymphocytes_mild: float = 1800.0  # per mm2 of tissue
    lymphocytes_aggressive: float = 120.0
    effect_lost_when_hard: float = 0.6
    image_variation_when_hard: float = 0.6  # share of what an image shows that is not the patient's aggressiveness
    mark_distance: float = 2.6  # standard deviations between those with a diagnosis and those without, in what marks it
    missed_when_hard: float = 0.2  # share of biopsies that hold no tumour
    microscope: str = "brightfield"  # stained section, or TPEF and SHG of a plain one


STANDARD = PhantomSettings()
"""The phantom of the demo, the docs and the tests."""

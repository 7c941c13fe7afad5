"""Units: plain numbers at run time, a type of their own to the type checker."""

from typing import NewType

from hepatica import cohort
from hepatica.cohort import units


def test_every_unit_is_offered_by_the_cohort_room():
    names = {name for name, thing in vars(units).items() if isinstance(thing, NewType)}
    assert names == {"Months", "Microns", "MicronsPerPixel", "SlidePixels", "TilePixels"}
    assert names <= set(cohort.__all__)


def test_a_unit_is_the_number_itself():
    assert units.Months(12.5) == 12.5
    assert isinstance(units.TilePixels(224), int)

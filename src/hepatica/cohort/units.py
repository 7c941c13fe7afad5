"""Units: numbers that carry their unit in their type."""

from typing import NewType

Months = NewType("Months", float)
"""Time since the index date (surgery, scan, diagnosis); a year has 12, a month 365.25 / 12 days."""

Microns = NewType("Microns", float)
"""Micrometres on the specimen."""

MicronsPerPixel = NewType("MicronsPerPixel", float)
"""Resolution of a slide; about 0.25 at 40x and 0.5 at 20x."""

SlidePixels = NewType("SlidePixels", int)
"""Pixels of the slide at its finest level: the coordinates OpenSlide and QuPath use."""

TilePixels = NewType("TilePixels", int)
"""Pixels of a tile after resampling to the target resolution: what the network sees."""

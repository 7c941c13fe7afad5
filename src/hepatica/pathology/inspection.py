"""Inspection: a slide as a pathologist checks it before training: its thumbnail with tissue and ink outlined."""

import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion

from hepatica.cohort.specimens import Inspected, Specimen
from hepatica.pathology.reader import as_specimen_error
from hepatica.pathology.slide import open_slide
from hepatica.pathology.tissue import SPECK, appearance, find_tissue
from hepatica.saliency.scale import with_bar

LONGEST = 640
"""Pixels of the longer side of the thumbnail (ours)."""

TISSUE, INK = (0, 128, 0), (0, 0, 255)
"""Colours of the outlines of tissue and of ink."""

LITTLE_MM2 = 1.0
"""Square millimetres of tissue below which a slide is pointed out (ours): a needle biopsy has 5 to 20."""

SCREEN = 0.5, 3
"""Micrometres per pixel and bytes per pixel of the tiles that disk need is counted for."""


def inspect(specimen: Specimen, *, outlined: bool = True) -> Inspected:
    """A thumbnail with a scale bar and outlines of tissue (green) and ink (blue); SpecimenError where the slide cannot
    be used.
    """
    slide = open_slide(specimen.path, mpp=specimen.mpp, force=specimen.force_mpp)
    with as_specimen_error(specimen.path), slide:
        picture = np.array(slide.thumbnail(longest=LONGEST))
        pieces = find_tissue(picture)
        looks = appearance(picture, pieces)
        area = looks["tissue_share"] * slide.size[0] * slide.size[1] * slide.mpp**2 / 1e6
        for mask, colour in ((pieces.tissue, TISSUE), (pieces.ink, INK)) if outlined else ():
            picture[binary_dilation(mask) & ~binary_erosion(mask)] = colour
        picture = with_bar(picture, width=slide.size[0] * slide.mpp)
    doubts = [f"less than {LITTLE_MM2:g} mm2 of tissue"] if area < LITTLE_MM2 else []
    doubts += ["pen ink, which is left out"] if looks["ink_share"] > SPECK else []
    doubts += [slide.note] if slide.note else []
    facts = {
        "size": f"{slide.size[0]} x {slide.size[1]} pixels",
        "resolution": f"{slide.mpp:.3g} um per pixel ({slide.mpp_known})",
        "tissue": f"{area:.1f} mm2, {looks['tissue_share']:.0%}",
    }
    mpp, depth = SCREEN
    return Inspected(picture=picture, facts=facts, doubts=tuple(doubts), bytes=area * 1e6 / mpp**2 * depth)

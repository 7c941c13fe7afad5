"""Inspection: a slide as a pathologist checks it before training: tissue, ink and folds outlined; focus measured."""

import numpy as np
from PIL import Image
from scipy.ndimage import binary_dilation, binary_erosion

from hepatica.cohort.specimens import Inspected, Specimen
from hepatica.pathology.outlines import region_of
from hepatica.pathology.reader import as_specimen_error
from hepatica.pathology.slide import open_slide
from hepatica.pathology.survey import blur_share, overview
from hepatica.pathology.tissue import SPECK, appearance
from hepatica.saliency.scale import with_bar

LONGEST = 640
"""Pixels of the longer side of the thumbnail (ours)."""

EDGES = ((0, 128, 0), (0, 0, 255), (230, 120, 0))
"""Colours of the outlines of tissue, of ink and of folds: green, blue and orange."""

LITTLE_MM2 = 1.0
"""Square millimetres of tissue below which a slide is pointed out (ours): a needle biopsy has 5 to 20."""

MUCH = {"fold_share": (0.05, "in folds"), "blur_share": (0.25, "out of focus")}
"""Shares of the tissue above which a slide is pointed out (ours)."""


def inspect(specimen: Specimen, *, outlined: bool = True) -> Inspected:
    """A thumbnail with a scale bar and outlines of tissue (green), ink (blue) and folds (orange), of a region those
    within it; SpecimenError where the slide cannot be used.
    """
    slide = open_slide(specimen.path, mpp=specimen.mpp, force=specimen.force_mpp)
    with as_specimen_error(specimen.path), slide:
        thumbnail, pieces = overview(slide, region_of(specimen, origin=slide.origin))
        looks = appearance(thumbnail, pieces) | {"blur_share": blur_share(slide, pieces.tissue)}
        area = looks["tissue_share"] * slide.size[0] * slide.size[1] * slide.mpp**2 / 1e6
        step = -(-max(thumbnail.shape) // LONGEST)
        picture = np.array(Image.fromarray(thumbnail).reduce(step))
        for mask, colour in zip(pieces, EDGES, strict=True) if outlined else ():
            shown = mask[::step, ::step]
            picture[binary_dilation(shown) & ~binary_erosion(shown)] = colour
        picture = with_bar(picture, width=slide.size[0] * slide.mpp)
    doubts = [f"less than {LITTLE_MM2:g} mm2 of tissue"] if area < LITTLE_MM2 else []
    doubts += ["pen ink, which is left out"] if looks["ink_share"] > SPECK else []
    doubts += [
        f"{looks[name]:.0%} of the tissue is {words}" for name, (most, words) in MUCH.items() if looks[name] > most
    ]
    doubts += [slide.note] if slide.note else []
    facts = {
        "size": f"{slide.size[0]} x {slide.size[1]} pixels",
        "resolution": f"{slide.mpp:.3g} um per pixel ({slide.mpp_known})",
        "tissue": f"{area:.1f} mm2, {looks['tissue_share']:.0%}",
        "ink": f"{looks['ink_share']:.0%}",
        "folds, out of focus": f"{looks['fold_share']:.0%}, {looks['blur_share']:.0%}",
    }
    return Inspected(picture=picture, facts=facts, doubts=tuple(doubts))

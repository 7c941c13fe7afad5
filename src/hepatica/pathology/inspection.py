"""Inspection: a slide as a pathologist checks it before training: its thumbnail with tissue, folds and ink outlined."""

import numpy as np
from PIL import Image
from scipy.ndimage import binary_dilation, binary_erosion

from hepatica.cohort.specimens import Inspected, Specimen
from hepatica.pathology.outlines import region_of
from hepatica.pathology.reader import as_specimen_error
from hepatica.pathology.slide import open_slide
from hepatica.pathology.survey import blur_share, overview
from hepatica.pathology.tiles import Tiling, grid
from hepatica.pathology.tissue import SPECK, appearance
from hepatica.saliency.scale import with_bar

LONGEST = 640
"""Pixels of the longer side of the thumbnail (ours)."""

COLOURS = {"tissue": (0, 128, 0), "fold": (255, 140, 0), "ink": (0, 0, 255)}
"""Colours of the outlines."""

LITTLE_MM2 = 1.0
"""Square millimetres of tissue below which a slide is pointed out (ours): a needle biopsy has 5 to 20."""

FOLDED, BLURRED = 0.05, 0.25
"""Shares of the tissue in folds, and out of focus, from which on a slide is pointed out (ours)."""


FOLDS_MPP = 4.0
"""Micrometres per pixel of a thumbnail below which dark nuclei would be taken for folds (ours): none are shown."""


def inspect(specimen: Specimen, *, outlined: bool = True) -> Inspected:
    """A thumbnail with a scale bar; `outlined` its tissue, folds and ink, with what of them gives cause to doubt.

    SpecimenError where the slide cannot be used.
    """
    slide = open_slide(specimen.path, mpp=specimen.mpp, force=specimen.force_mpp)
    with as_specimen_error(specimen.path), slide:
        thumbnail, pieces = overview(slide, region_of(specimen, origin=slide.origin))
        if slide.size[0] * slide.mpp < FOLDS_MPP * thumbnail.shape[1]:
            pieces = pieces._replace(fold=np.zeros_like(pieces.fold))
        looks, step = appearance(thumbnail, pieces), -(-max(thumbnail.shape) // LONGEST)
        picture = np.array(Image.fromarray(thumbnail).reduce(step))
        for name, colour in COLOURS.items() if outlined else ():
            mask = getattr(pieces, name)[::step, ::step]
            picture[binary_dilation(mask) & ~binary_erosion(mask)] = colour
        corners = grid(pieces.tissue, size=slide.size, mpp=slide.mpp, tiling=Tiling())
        blur = blur_share(slide, corners) if outlined and len(corners) else 0.0
        area = looks["tissue_share"] * slide.size[0] * slide.size[1] * slide.mpp**2 / 1e6
    found = {
        f"less than {LITTLE_MM2:g} mm2 of tissue": area < LITTLE_MM2,
        "ink, which is left out": looks["ink_share"] > SPECK,
        f"{FOLDED:.0%} of the tissue or more in folds": looks["fold_share"] >= FOLDED,
        f"{BLURRED:.0%} of the tissue or more out of focus": blur >= BLURRED,
        slide.note: bool(slide.note),
    }
    facts = {
        "size": f"{slide.size[0]} x {slide.size[1]} pixels",
        "resolution": f"{slide.mpp:.3g} um per pixel ({slide.mpp_known})",
        "tissue": f"{area:.1f} mm2, {looks['tissue_share']:.0%}",
        "folds, out of focus": f"{looks['fold_share']:.0%}, {blur:.0%}",
    }
    picture = with_bar(picture, width=slide.size[0] * slide.mpp)
    return Inspected(picture=picture, facts=facts, doubts=tuple(text for text, is_so in found.items() if is_so))

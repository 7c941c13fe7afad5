"""Inspection: an ultrasound study as it is checked before training: its images, and a frame of the first."""

import numpy as np

from hepatica.cohort.specimens import Inspected, Specimen
from hepatica.radiology.ultrasound.clips import find_clips
from hepatica.saliency.scale import with_bar


def inspect(specimen: Specimen, *, outlined: bool = True) -> Inspected:
    """The middle frame of the first image, without what is printed on it, with a scale bar where millimetres are known;
    SpecimenError where the study cannot be used. Nothing is outlined.
    """
    files = find_clips(specimen.path)
    clip = files[0].read()
    frame = clip.frames[len(clip.frames) // 2]
    picture = frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=-1)
    facts = {"images": str(len(files)), "first image": f"{clip.kind}, {len(clip.frames)} frames"}
    if clip.mm is None:
        return Inspected(picture=picture, facts=facts, doubts=("the size of a pixel is not in the file",))
    return Inspected(picture=with_bar(picture, width=1000 * clip.mm[1] * frame.shape[1]), facts=facts)

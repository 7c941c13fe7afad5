"""Nomogram: the locked model of a system that has one, to be read with a ruler."""

from functools import partial

from hepatica.evaluate import Nomogram
from hepatica.report.figures.nomogram import height, paint_nomogram
from hepatica.report.page import Figure, Gallery, Run, Section

NOTE = (
    "Read off the points of each variable, add them, and read the probability below their total. It is the locked"
    " model, fitted to training patients; calibration is not implied."
)


def section(run: Run, gallery: Gallery) -> Section | str:
    """The picture; an empty sentence for a system without."""
    scales = run.model["training"].get("nomogram")
    if scales is None:
        return ""
    model = Nomogram(**scales)
    paint = partial(paint_nomogram, model=model, title=run.targets[0].label.capitalize())
    panel = gallery.draw("nomogram", paint, alt="Nomogram of the locked model", size=(7.0, height(model)))
    return Section(anchor="nomogram", title="Nomogram", blocks=[Figure(caption=NOTE, panels=[panel], columns=1)])

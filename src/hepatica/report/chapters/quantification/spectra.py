"""Spectra: spectra of the cohorts as the field draws them, with what the fit finds and what the network looks at."""

from hepatica.cohort.atomic import read_json
from hepatica.report.chapters.localisation import pictures
from hepatica.report.page import Block, Figure, Gallery, Results, Run, Section, Text

FITS = "fits"
"""Folder of the pictures in that of a cohort's results; fits.json, written last, lists them."""


def section(run: Run, gallery: Gallery, *, network: str) -> Section:
    """Fits of the spectra of highest and lowest score, then the stretches that move the score of the `network`."""
    text = (
        "Spectra of highest and lowest score, ppm from right to left: the residual, enlarged; data with MAP fit and"
        " baseline, metabolites once more enlarged; and the largest components, each at its own scale, with the height"
        " of its peak as a share of the highest. A residual with structure indicates that the model is incomplete;"
        " concentrations from such a fit are not reliable. Then the same spectra with the change of the"
        f" {network}'s score where a stretch is replaced by a straight line. Spectra without a usable water reference"
        " have no fit."
    )
    blocks: list[Block] = [Text(text=text)]
    blocks += [_fits(each, gallery) for each in run.cohorts]
    return Section(
        anchor="spectra",
        title="Spectra, fits, and what the network looks at",
        blocks=[*blocks, *pictures(run, gallery)],
    )


def _fits(results: Results, gallery: Gallery) -> Block:
    path = results.folder / FITS / "fits.json"
    drawn = read_json(path) if path.exists() else []
    if not drawn:
        return Text(text=f"No fit was drawn. {results.title}.", tone="note")
    panels = [
        gallery.show(
            results.folder / FITS / each["file"],
            alt=f"MAP fit of the specimen in row {each['row']}, score {each['score']:.2f}, {results.title}",
        )
        for each in drawn
    ]
    return Figure(caption=f"MAP fits, highest score first. {results.title}.", panels=panels)

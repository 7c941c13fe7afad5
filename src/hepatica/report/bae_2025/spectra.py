"""Spectra: spectra of the cohorts as the field draws them, with what the fit finds and what the cCNN looks at."""

from hepatica.cohort.atomic import read_json
from hepatica.report.blocks import Block, Figure, Section, Text
from hepatica.report.gallery import Gallery
from hepatica.report.heatmaps import pictures
from hepatica.report.results import Results, Run
from hepatica.studies.bae_2025.fits import FITS


def section(run: Run, gallery: Gallery) -> Section:
    """Fits of the spectra of highest and lowest score, then the stretches that move the score."""
    told = (
        "Spectra of highest and lowest score, ppm from right to left: residual, data with MAP fit and baseline, and the"
        " largest components one below the other, each at its own scale. A residual with structure means that the model"
        " lacks something; concentrations from such a fit are not to be believed."
    )
    blocks: list[Block] = [Text(text=told)]
    blocks += [_fits(each, gallery) for each in run.cohorts if (each.folder / FITS / "fits.json").exists()]
    return Section(
        anchor="spectra",
        title="Spectra, fits, and what the network looks at",
        blocks=[*blocks, *pictures(run, gallery)],
    )


def _fits(results: Results, gallery: Gallery) -> Figure:
    drawn = read_json(results.folder / FITS / "fits.json")
    panels = [
        gallery.show(results.folder / FITS / each["file"], alt=f"Fit of specimen {each['row']}, {results.title}")
        for each in drawn
    ]
    return Figure(caption=f"Fits. {results.title}.", panels=panels)

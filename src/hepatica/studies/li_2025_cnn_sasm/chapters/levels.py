"""Levels: the denoised recurrence score of the chosen network on patients locked away, by tile, image and patient."""

from fractions import Fraction
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import CohortError, TimeToEvent, confident_patients
from hepatica.evaluate import Estimate, auroc
from hepatica.report.chapters.regions import level_figure, level_table
from hepatica.report.figures.lines import paint_lines
from hepatica.report.page.blocks import Block, Figure, Section, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Results
from hepatica.studies.li_2025_cnn_sasm.chapters.found import Study

STRICT = "1/4"
"""The ratio of the paper's generalisation test: 7 patients of each class."""

UNCONFIRMED = "{} has no overall-survival data, which denoising needs; it has no denoised patients in this chapter."

CHOSEN_BY = {
    "held_out": "Nothing was chosen by these curves.",
    "external": "The settings let the strictly denoised patients of the other hospitals help to choose the subset.",
}
"""What these curves decided, by the setting `generalisation`."""


def section(study: Study, gallery: Gallery) -> Section:
    """ROC, precision-recall and confusion at tile level as in Figure 2D to F, and a table of all levels and cohorts."""
    cohorts = study.run.cohorts
    denoised = [(each, scored(study, each, ratio=str(study.choice["ratio"]))) for each in cohorts]
    everybody = [(each, scored(study, each, ratio=None)) for each in cohorts]
    unconfirmed = [each.title for each in cohorts if _survival(study, each) is None]
    caption = "Final status by the denoised recurrence score, with 95% intervals clustered by patient: "
    text = (
        "The score of a tile is the network's probability that its patient relapses (denoised recurrence score); scores"
        " of an image and a patient are means over their tiles and images. The outcome is the status at the end of"
        " follow-up. No patient here was trained on."
    )
    blocks: list[Block] = [
        Text(text=text),
        *(Text(text=UNCONFIRMED.format(title), tone="note") for title in unconfirmed),
        *(_figure(each, tiles, gallery) for each, tiles in denoised),
        _subsets(study, gallery),
        level_table(
            denoised, caption=f"{caption}patients whose survival confirms it, as the paper tests.", name="tile"
        ),
        level_table(everybody, caption=f"{caption}all patients.", name="tile"),
    ]
    return Section(anchor="levels", title="The chosen network, tile by tile", blocks=blocks)


def _figure(results: Results, tiles: pd.DataFrame, gallery: Gallery) -> Figure:
    caption = (
        f"Figure 2D to F of the paper. {results.title}: the denoised recurrence score on denoised patients. The"
        " confusion matrix counts tiles at 0.5."
    )
    return level_figure(results, tiles, gallery, caption=caption, called=("relapse", "relapse-free"), name="tile")


def scored(study: Study, results: Results, *, ratio: str | None) -> pd.DataFrame:
    """Tiles of the reported patients of a cohort with score and final status; with a `ratio`, of the denoised ones."""
    table, _ = results.regions()
    table = table[table["patient_id"].isin(results.patients.index[results.patients["fold"] == results.fold])]
    status = results.patients[results.cohort["endpoints"][study.settings.endpoint]["event"]].astype(float)
    table = table.assign(label=table["patient_id"].map(status), region=np.arange(len(table)))
    if ratio is None:
        return table
    survival = _survival(study, results)
    if survival is None:
        return table.iloc[:0]
    own = table["patient_id"].unique()
    try:
        chosen = confident_patients(
            status.loc[own],
            patients=results.patients,
            survival=survival,
            ratio=Fraction(ratio),
            variant=study.settings.confidence,
        )
    except CohortError:  # no patient is of one of the classes
        return table.iloc[:0]
    return table[table["patient_id"].isin(chosen)]


def _survival(study: Study, results: Results) -> TimeToEvent | None:
    """Overall survival as the cohort codes it; external cohorts need not."""
    name = study.settings.survival
    told = results.cohort["endpoints"].get(name)
    return None if told is None else TimeToEvent(name=name, **told)


def _subsets(study: Study, gallery: Gallery) -> Figure:
    panels = [
        gallery.draw(
            f"levels_subsets_{results.key}",
            partial(_paint_subsets, study=study, place=place, title=results.title),
            alt=f"AUROC by subset, {results.title}",
        )
        for place, results in enumerate(study.run.cohorts)
    ]
    caption = (
        "Generalisation by subset, tile level, final status: networks trained on each subset, on patients locked away"
        f" and in other hospitals. Strictly denoised patients are those of ratio {STRICT}, as in the paper's Figure 2C;"
        f" intervals are clustered by patient. {CHOSEN_BY[study.settings.generalisation]}"
    )
    return Figure(caption=caption, panels=panels)


def _paint_subsets(figure: Drawing, *, study: Study, place: int, title: str) -> None:
    runs = study.subsets.values()
    lines = {
        name: [_area(scored(study, run.cohorts[place], ratio=ratio)) for run in runs]
        for name, ratio in (("strictly denoised", STRICT), ("all", None))
    }
    paint_lines(figure.subplots(), lines, names=list(study.subsets), title=title, ylabel="AUROC")


def _area(tiles: pd.DataFrame) -> Estimate | None:
    if tiles["label"].nunique() < 2:
        return None
    return auroc(tiles["label"], score=tiles["score"], group=tiles["patient_id"])

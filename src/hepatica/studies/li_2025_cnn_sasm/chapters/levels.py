"""Levels: the denoised recurrence score of the chosen network on patients locked away, by tile, image and patient."""

from fractions import Fraction

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.evaluate import Estimate, auroc
from hepatica.report.chapters.regions import level_figure, level_table
from hepatica.report.figures.lines import paint_lines
from hepatica.report.page import Block, Figure, Gallery, Results, Section, Text
from hepatica.studies.li_2025_cnn_sasm.found import Study, confirmed_patients

STRICT = "1/4"
"""The ratio of the paper's generalisation test: 7 patients of each class."""

UNCONFIRMED = "{} has no overall-survival data, which denoising needs; it has no denoised patients in this chapter."

TEXT = (
    "The score of a tile is the network's probability that its patient relapses (denoised recurrence score); scores of"
    " an image and a patient are means over their tiles and images. The outcome is the status at the end of follow-up."
    " No patient here was trained on."
)

CHOSEN_BY = {
    "held_out": "These curves were not used for any choice.",
    "external": "By the settings, the strictly denoised patients of the other hospitals helped to choose the subset.",
}
"""How these curves were used, by the setting `generalisation`."""


def section(study: Study, gallery: Gallery) -> Section:
    """ROC, precision-recall and confusion at tile level as in Figure 2D to F, and a table of all levels and cohorts."""
    cohorts = study.run.cohorts
    denoised = [(each, scored(study, each, ratio=str(study.choice["ratio"]))) for each in cohorts]
    everybody = [(each, scored(study, each, ratio=None)) for each in cohorts]
    unconfirmed = [each.title for each in cohorts if study.settings.survival not in each.cohort["endpoints"]]
    caption = "Final status by the denoised recurrence score, with 95% intervals clustered by patient: "
    tested = f"{caption}patients whose survival confirms it, as the paper tests."
    blocks: list[Block] = [
        Text(text=TEXT),
        *(Text(text=UNCONFIRMED.format(title), tone="note") for title in unconfirmed),
        *(_figure(each, tiles, gallery) for each, tiles in denoised),
        _subsets(study, gallery),
        level_table(denoised, caption=tested, name="tile"),
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
    table = table[table["patient_id"].isin(results.reported.index)]
    status = results.patients[results.cohort["endpoints"][study.settings.endpoint]["event"]].astype(float)
    table = table.assign(label=table["patient_id"].map(status), region=np.arange(len(table)))
    if ratio is None:
        return table
    own = status.loc[table["patient_id"].unique()]
    return table[table["patient_id"].isin(confirmed_patients(results, own, study.settings, ratio=Fraction(ratio)))]


def _subsets(study: Study, gallery: Gallery) -> Figure:
    def paint(figure: Drawing, *, results: Results) -> None:
        place = [each.key for each in study.run.cohorts].index(results.key)
        lines = {
            name: [_area(scored(study, run.cohorts[place], ratio=ratio)) for run in study.subsets.values()]
            for name, ratio in (("strictly denoised", STRICT), ("all", None))
        }
        paint_lines(figure.subplots(), lines, names=list(study.subsets), title=results.title, ylabel="AUROC")

    return gallery.by_cohort(
        "levels_subsets",
        study.run.cohorts,
        paint,
        alt="AUROC by subset",
        caption="Generalisation by subset, tile level, final status: networks trained on each subset, tested on"
        f" patients locked away and in other hospitals. Strictly denoised patients are those of ratio {STRICT}, as in"
        f" the paper's Figure 2C; intervals are clustered by patient. {CHOSEN_BY[study.settings.generalisation]}",
    )


def _area(tiles: pd.DataFrame) -> Estimate | None:
    if tiles["label"].nunique() < 2:
        return None
    return auroc(tiles["label"], score=tiles["score"], group=tiles["patient_id"])

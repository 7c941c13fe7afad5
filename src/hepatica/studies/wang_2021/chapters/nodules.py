"""Nodules: NoduleNet on single images (Supplementary Fig. 4 of Wang 2021), patients the unit of every interval."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing
from scipy.special import logit
from sklearn.metrics import roc_curve

from hepatica.evaluate import Estimate, auroc, confusion, sensitivity, specificity
from hepatica.report.page.blocks import Block, Figure, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run
from hepatica.report.page.style import QUIET, SERIES, unit_square
from hepatica.report.page.wording import INDENT, METRICS, NONE, interval, patients
from hepatica.studies.wang_2021.chapters.found import by_phase, images
from hepatica.studies.wang_2021.chapters.published import NODULES

RATES: dict[str, Callable[..., Estimate]] = {"sensitivity": sensitivity, "specificity": specificity}


def section(run: Run, gallery: Gallery) -> Section:
    """AUROC, sensitivity and specificity per image and phase, by patients and, as in the paper, by images."""
    at = float(run.settings["settings"]["nodule_probability"])
    found = {each.title: seen_by_experts(images(each)) for each in run.cohorts}
    shown = {name: table for name, table in found.items() if table["nodule"].nunique() == 2}
    title = "NoduleNet on single images"
    if not shown:
        none = "No images of reported patients were marked by experts, with and without a nodule."
        return Section(anchor="nodules", title=title, blocks=[Text(text=none, tone="note")])
    told = (
        "Images of one patient are alike: ten images of one nodule are no ten nodules. Intervals are therefore those of"
        " patients. The paper's take each image for a patient, which makes them too narrow; ours of that kind stand"
        f" beside for comparison. An image counts as flagged from a probability of {at:g} on."
    )
    panel = gallery.draw(
        "nodules_roc", partial(_paint, tables=shown), alt=f"ROC curves of NoduleNet per image, {', '.join(shown)}"
    )
    caption = "ROC curves of NoduleNet per image, against what experts marked; areas with intervals by patient."
    blocks: list[Block] = [Text(text=told), Figure(caption=caption, panels=[panel])]
    blocks += [_table(name, table, at) for name, table in shown.items()]
    return Section(anchor="nodules", title=title, blocks=blocks)


def seen_by_experts(table: pd.DataFrame) -> pd.DataFrame:
    """The images that an expert looked at."""
    return table[table["nodule"].notna()]


def rates(table: pd.DataFrame, *, at: float, by_patient: bool = True) -> dict[str, Estimate]:
    """AUROC, sensitivity and specificity of NoduleNet per image, flagged from probability `at` on.

    Columns: patient_id, nodule (1 or 0), nodule_log_odds. Intervals rest on patients, or on images as in the paper.
    EvaluationError on images of one kind only.
    """
    group = table["patient_id"].to_numpy() if by_patient else None
    label, odds = table["nodule"].to_numpy(), table["nodule_log_odds"].to_numpy(float)
    counted = confusion(label, score=odds, cutoff=float(logit(at)), group=group)
    return {"auroc": auroc(label, score=odds, group=group)} | {name: of(counted) for name, of in RATES.items()}


def _paint(figure: Drawing, *, tables: dict[str, pd.DataFrame]) -> None:
    axes = figure.subplots()
    for colour, (name, table) in zip(SERIES, tables.items(), strict=False):
        odds = table["nodule_log_odds"].to_numpy(float)
        false_alarms, found, _ = roc_curve(table["nodule"], odds)
        area = auroc(table["nodule"], score=odds, group=table["patient_id"].to_numpy())
        axes.plot(false_alarms, found, color=colour, label=f"{name}\n{area}")
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8, linestyle=":")
    unit_square(axes, xlabel="1 \N{MINUS SIGN} specificity", ylabel="Sensitivity")
    axes.legend(loc="lower right", handlelength=1.2)


def _table(name: str, table: pd.DataFrame, at: float) -> Table:
    rows = []
    for by, label in ((True, "By patients"), (False, "By images, as in the paper")):
        found = rates(table, at=at, by_patient=by)
        rows.append([label, _counts(table), *(_told(found[each]) for each in NODULES)])
    for phase, own in by_phase(table):
        several = own["nodule"].nunique() == 2
        found = rates(own, at=at) if several else {}
        rows.append(
            [f"{INDENT}{phase} phase, by patients", _counts(own), *(_told(found.get(each)) for each in NODULES)]
        )
    rows.append(["Paper", "14,778 images, 31 patients", *NODULES.values()])
    return Table(
        caption=f"NoduleNet per image, with 95% confidence intervals. {name}.",
        header=["", "Images, with a nodule, patients", *(METRICS[each] for each in NODULES)],
        rows=rows,
        note="By patients: DeLong's variance clustered by patient (Obuchowski), Clopper and Pearson's limits at the"
        " effective number of images (Korn and Graubard). The widths of the paper's intervals go with about 5,200"
        " images, not 14,778.",
    )


def _counts(table: pd.DataFrame) -> str:
    people = patients(table["patient_id"].nunique())
    return f"{len(table)}, {int(table['nodule'].sum())}, {people}"


def _told(found: Estimate | None) -> str:
    return NONE if found is None or not np.isfinite(found.value) else interval(found.as_dict())

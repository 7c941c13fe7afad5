"""Saliency: Figure 5 of Wang 2021, what excites NoduleNet (SMOE), drawn, and held against what experts outlined."""

import numpy as np
import pandas as pd

from hepatica.evaluate import Estimate, confusion, sensitivity
from hepatica.evaluate.intervals import sum_variance, within_unit
from hepatica.evaluate.patients import patients_of
from hepatica.report.chapters.heatmaps import pictures
from hepatica.report.page.blocks import Block, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run
from hepatica.report.page.wording import INDENT, patients
from hepatica.studies.wang_2021.chapters.found import by_phase, hits
from hepatica.studies.wang_2021.chapters.published import HEATMAPS


def section(run: Run, gallery: Gallery) -> Section:
    """The pictures of `hepatica explain`, and how often the maps meet the outlines."""
    told = (
        "SMOE marks where a network's channels are excited unlike each other, over all stages of NoduleNet. In the"
        " paper five radiologists looked at each map and said whether it captured the main area of the nodules. Here"
        " the map's brightest place is held against the outline of the nodule, and as many of the brightest places as"
        " the outline has against all of it (Dice); a place by lot would hit as often as the nodule is large. A map"
        " that meets the nodule shows where the network looks, not that its answer rests on what a radiologist would"
        " call a sign."
    )
    blocks: list[Block] = [Text(text=told), *pictures(run, gallery)]
    found = {each.title: hits(each) for each in run.cohorts}
    blocks += [_table(name, table) for name, table in found.items() if table is not None]
    blocks += [
        Text(text=f"{name}: no outlines of nodules to hold the maps against.", tone="note")
        for name, table in found.items()
        if table is None
    ]
    return Section(anchor="saliency", title="What NoduleNet looks at", blocks=blocks)


def pointing(table: pd.DataFrame) -> Estimate:
    """Share of images on which the map is brightest in the nodule (column pointing), its interval by patient_id."""
    counted = confusion(
        np.ones(len(table)), score=table["pointing"].to_numpy(float), cutoff=0.5, group=table["patient_id"].to_numpy()
    )
    return sensitivity(counted)


def mean_share(values: np.ndarray, *, group: np.ndarray) -> Estimate:
    """Mean of numbers in 0..1 of images (n,), such as Dice, its interval by patient: linearised, on the logit scale."""
    people = patients_of(group, rows=values.size)
    value = float(values.mean())
    variance = sum_variance(people.sums((values - value) / values.size))
    low, high = within_unit(value, variance=variance, units=people.count)
    return Estimate(value=value, low=low, high=high, n=people.count, method="clustered by patient, logit scale")


def _table(name: str, table: pd.DataFrame) -> Table:
    parts = {"All images with an outlined nodule": table, f"{INDENT}of these, NoduleNet flags": table[table["flagged"]]}
    parts |= {f"{INDENT}{phase} phase": own for phase, own in by_phase(table)}
    rows = [[part, *_row(own)] for part, own in parts.items() if len(own)]
    return Table(
        caption=f"Maps against outlines, with 95% confidence intervals. {name}.",
        header=["", "Images, patients", "Brightest place in the nodule", "Dice", "By chance"],
        rows=rows,
        note="Intervals rest on patients. By chance: the mean share of an image that is nodule, which a place by lot"
        f" would hit. Paper: {HEATMAPS} of the maps capture the nodules, judged by eye and without outlines, another"
        " measure.",
    )


def _row(table: pd.DataFrame) -> list[str]:
    group = table["patient_id"].to_numpy()
    return [
        f"{len(table)}, {patients(table['patient_id'].nunique())}",
        str(pointing(table)),
        str(mean_share(table["dice"].to_numpy(float), group=group)),
        f"{table['share'].mean():.3f}",
    ]

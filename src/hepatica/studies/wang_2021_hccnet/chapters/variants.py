"""Variants: readings of the paper's risk score and of NoduleNet's part in it; effect of the number of images."""

from collections.abc import Iterator, Mapping
from typing import get_args

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.evaluate import auroc
from hepatica.radiology.risk_score import Gate, Variant, gated, risk_score
from hepatica.report.page import Block, Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.style import FAINT, SERIES, log_scale
from hepatica.report.page.wording import NONE, cell

GATES: tuple[Gate, ...] = get_args(Gate)
VARIANTS: tuple[Variant, ...] = get_args(Variant)

NAMES: Mapping[Variant, str] = {
    "as_printed": "as printed: Σ p r / Σ p / n",
    "weighted_mean": "weighted mean: Σ p r / Σ p",
    "unnormalised": "unnormalised: Σ p r / n",
}

GATE_NAMES: Mapping[Gate, str] = {
    "none": "all images",
    "hard": "images NoduleNet flags",
    "soft": "p times NoduleNet's p",
}

EVERY = (1, 2, 4, 8, 16)
"""Every n-th image is read, to show the effect of fewer images."""

PAPERS = (0.05, 0.25)
"""Between these lie the mean scores that Table 3 prints."""


def section(run: Run, gallery: Gallery) -> Section:
    """AUROC and mean score of each gate and variant, and mean scores against the number of images."""
    settings = run.settings["settings"]
    at, own = float(settings["nodule_probability"]), (settings["gate"], settings["variant"])
    text = (
        "With r = -log10(1 - p) of each of n images, the formula that the paper prints divides twice: by the sum of the"
        " weights and by n. A patient whose images all have p = 0.99 then scores 2 with one image and 0.002 with a"
        f" thousand. The means the paper reports, {PAPERS[0]} to {PAPERS[1]}, cannot come from it with all of a"
        " patient's images, of which there are about 1,070. The paper does not describe the role of NoduleNet in the"
        " reading of a new patient. All readings are given here, on the same images; this run was locked with"
        f" {NAMES[own[1]]} over {GATE_NAMES[own[0]]}. Choosing another because it performs best here would be tuning on"
        " test patients."
    )
    blocks: list[Block] = [Text(text=text)]
    tables = {each.title: (each, images(each)) for each in run.cohorts}
    blocks += [_table(name, scores(table, at=at), own) for name, (_, table) in tables.items()]
    means = {each.key: by_number(table) for each, table in tables.values()}
    figure = gallery.by_cohort(
        "images_read",
        run.cohorts,
        lambda figure, results: _paint(figure, means=means[results.key], title=results.title),
        alt="Mean HCC risk score of patients with HCC against the images read of each",
        caption="Mean HCC risk score of patients with HCC when all, every second, every fourth … image of a patient is"
        " read. Only the weighted mean and the unnormalised score may be compared between patients with different"
        " numbers of images.",
    )
    blocks.append(figure)
    return Section(anchor="variants", title="Readings of the risk score", blocks=blocks)


def images(results: Results) -> pd.DataFrame:
    """Images of the reported patients, one row each (regions.parquet), with `label` of the patient."""
    table = pd.read_parquet(results.folder / "regions.parquet")
    label = results.outcomes(results.targets[0])["label"]
    return table[table["patient_id"].isin(label.index)].assign(label=lambda rows: rows["patient_id"].map(label))


def scores(table: pd.DataFrame, *, at: float) -> pd.DataFrame:
    """One row a patient, gate and variant: patient_id, gate, variant, score, label.

    `table` has one row an image: patient_id, hcc_log_odds, nodule_log_odds, label. A patient whose images the hard gate
    all leaves out scores 0 (ours).
    """
    return pd.DataFrame(
        [
            {"patient_id": patient, "gate": gate, "variant": variant, "label": own["label"].iloc[0]}
            | {"score": _score(own, gate, variant, at=at)}
            for patient, own in table.groupby("patient_id", sort=False)
            for gate in GATES
            for variant in VARIANTS
        ]
    )


def _score(own: pd.DataFrame, gate: Gate, variant: Variant, *, at: float) -> float:
    hcc, nodule = own["hcc_log_odds"].to_numpy(float), own["nodule_log_odds"].to_numpy(float)
    entering = gated(hcc, nodule, gate=gate, probability=at)
    return risk_score(entering, variant=variant) if entering.size else 0.0


def by_number(table: pd.DataFrame) -> pd.DataFrame:
    """Mean score of patients with HCC of each variant (columns) where every n-th image (index) is read."""
    ill = table[table["label"] == 1]
    return pd.DataFrame({every: dict(_means(ill, every)) for every in EVERY}).T


def _means(ill: pd.DataFrame, every: int) -> Iterator[tuple[Variant, float]]:
    odds = [own["hcc_log_odds"].to_numpy(float)[::every] for _, own in ill.groupby("patient_id", sort=False)]
    for variant in VARIANTS:
        yield variant, float(np.mean([risk_score(each, variant=variant) for each in odds])) if odds else np.nan


def _table(name: str, found: pd.DataFrame, own: tuple[Gate, Variant]) -> Table:
    known = found.dropna(subset=["label"])
    rows: list[list[str]] = []
    for gate in GATES:
        rows.append([f"Gate {gate}: {GATE_NAMES[gate]}"])
        for variant in VARIANTS:
            of = known[(known["gate"] == gate) & (known["variant"] == variant)]
            rows.append([NAMES[variant], *_row(of), "locked" if (gate, variant) == own else ""])
    return Table(
        caption=f"AUROC and scores of every reading. {name}.",
        header=["", "AUROC", "Mean ± SD, HCC", "Mean ± SD, no HCC", "This run"],
        rows=rows,
        note="Scores are of all images of a patient together. The order of patients, and with it the AUROC, changes"
        " with a reading wherever their numbers of images differ. Paper: AUROC 0.887 internally, 0.883 externally.",
    )


def _row(of: pd.DataFrame) -> list[str]:
    label, score = of["label"].to_numpy(float), of["score"].to_numpy(float)
    area = auroc(label, score=score) if np.unique(label).size == 2 else None
    return [cell(area), *(_mean(score[label == kind]) for kind in (1, 0))]


def _mean(values: np.ndarray) -> str:
    return NONE if values.size < 2 else f"{values.mean():.4f} ± {values.std(ddof=1):.4f}"


def _paint(figure: Drawing, *, means: pd.DataFrame, title: str) -> None:
    axes = figure.subplots()
    axes.set_title(title)
    for colour, variant in zip(SERIES, VARIANTS, strict=False):
        values = means[variant].to_numpy(float)
        axes.plot(range(len(EVERY)), values, "o-", color=colour, markersize=4, label=NAMES[variant])
    axes.axhspan(*PAPERS, color=FAINT, zorder=0, label="the paper's means")
    log_scale(axes)
    axes.set(xlabel="Images read of each patient", ylabel="Mean HCC risk score, patients with HCC")
    axes.set_xticks(range(len(EVERY)), labels=["all", *(f"1/{every}" for every in EVERY[1:])])
    axes.legend(loc="upper left", bbox_to_anchor=(-0.1, -0.16), handlelength=1.2, labelspacing=0.25)

"""Localisation: where in a specimen the score comes from, drawn, and compared with what experts outlined."""

import numpy as np
import pandas as pd

from hepatica.cohort import Target
from hepatica.evaluate import confusion, sensitivity
from hepatica.evaluate.mean import mean_of
from hepatica.evaluate.patients import patients_of
from hepatica.report.page import Block, Figure, Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.wording import INDENT, about, by_phase, patients

SALIENCY = "saliency.parquet"
"""Beside the results of a cohort, one row an image with an outline: patient_id, phase, flagged, share (of the image
that is outlined), pointing (1 where the map is brightest within the outline, else 0), dice (of the outline and as many
of the brightest places)."""

OUTLINES = (
    "The brightest place of each map is compared with the expert's outline, and as many of the brightest places as the"
    " outline has with all of it (Dice); the share of the image that is outlined is the hit rate of a random place. A"
    " map that meets the outline shows where the network looks, not that its answer is based on what a radiologist"
    " would call a sign."
)


def section(run: Run, gallery: Gallery, *, remark: str = "") -> Section | str:
    """The pictures of `hepatica explain`, and how often maps meet outlines; `remark` is what a paper found."""
    drawn = pictures(run, gallery)
    found = [(each, table) for each in run.cohorts if (table := hits(each, run.targets[0])) is not None]
    if not drawn and not found:
        return "No specimen was drawn: hepatica explain has not been run on these results."
    texts = [Text(text=f"{OUTLINES} {remark}".strip())] if found else []
    bare = [each.title for each in run.cohorts if found and each.title not in {own.title for own, _ in found}]
    texts += [Text(text=f"{title}: no outlines to compare maps with.", tone="note") for title in bare]
    followed = run.targets[0].followed
    return Section(
        anchor="localisation",
        title="Where the risk lies" if followed else "Where the score comes from",
        blocks=[*drawn, *texts, *(_table(each.title, table) for each, table in found)],
    )


def pictures(run: Run, gallery: Gallery) -> list[Block]:
    """A figure of each specimen that was drawn, of patients the model has not seen."""
    slide = run.system.modality == "slide"  # of which one picture is narrow; those of a study are all wide
    blocks: list[Block] = []
    for results in run.cohorts:
        for specimen in results.explained():
            files = [results.folder / "explained" / name for name in specimen["files"] if name.endswith(".png")]
            words = f"{results.title}, specimen in row {specimen['row']}, score {specimen['score']:.2f}"
            panels = [gallery.show(path, alt=f"{words}: {_what(path.stem)}") for path in files]
            shown = "; ".join(dict.fromkeys(_what(path.stem) for path in files))
            of = ": ".join(filter(None, [about(run.targets[0]), specimen["class_or_quantity"]]))
            caption = f"{words} ({of}): {shown}."
            if panels:
                blocks.append(Figure(caption=caption, panels=panels, columns="strip" if slide else 1))
    return blocks


def _what(stem: str) -> str:
    """What a picture shows, by its file name: specimen_0012_heatmap shows the heatmap."""
    words = [word for word in stem.split("_") if not word.isdigit() and word != "specimen"]
    return " ".join(words) or "heatmap"


def hits(results: Results, target: Target) -> pd.DataFrame | None:
    """Rows of SALIENCY of the reported patients; None where no image of theirs was outlined."""
    return results.own_rows(SALIENCY, results.outcomes(target).index)


def _table(name: str, table: pd.DataFrame) -> Table:
    parts = {"All images with an outline": table, f"{INDENT}of these, flagged": table[table["flagged"]]}
    parts |= {f"{INDENT}{phase} phase": own for phase, own in by_phase(table)}
    return Table(
        caption=f"Maps and outlines, with 95% confidence intervals. {name}.",
        header=["", "Images, patients", "Brightest place within the outline", "Dice", "By chance"],
        rows=[[part, *_row(own)] for part, own in parts.items() if len(own)],
        note="Intervals are clustered by patient. By chance: the mean share of an image that is outlined.",
    )


def _row(table: pd.DataFrame) -> list[str]:
    group, count = table["patient_id"].to_numpy(), len(table)
    pointing = confusion(np.ones(count), score=table["pointing"].to_numpy(float), cutoff=0.5, group=group)
    dice = mean_of(table["dice"].to_numpy(float), patients_of(group, rows=count), scale="logit")
    people = patients(table["patient_id"].nunique())
    return [f"{count}, {people}", str(sensitivity(pointing)), str(dice), f"{table['share'].mean():.3f}"]

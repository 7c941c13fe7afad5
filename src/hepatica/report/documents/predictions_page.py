"""Predictions page: what `hepatica predict` gave, as one page: scores beside cut-offs, applicability, pictures."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from hepatica.cohort import Target, read_predictions, targets
from hepatica.cohort.atomic import read_json, write_text
from hepatica.cohort.predictions import of_patients
from hepatica.protocol import from_plain
from hepatica.report.page import Block, Figure, Gallery, Section, Table, Text
from hepatica.report.page.page import render_page
from hepatica.report.page.wording import NONE, about
from hepatica.runs.folder import NAMES, SPECIMENS, RunFolder, read_settings
from hepatica.systems import find_system

PICTURED = 60
"""Specimens whose pictures are on the page (ours): one has 0.2 to 1 MB."""

LISTED = 2000
"""Rows of a table of scores on the page (ours); all are in predictions.csv."""

LEAD = "Scores of a locked model. A score is read beside its cut-off, which training fixed, and its applicability."

APPLIES = {
    "in_domain": "like those of training",
    "unusual": "UNUSUAL: may be wrong, however high or low",
    "not_assessable": "not assessable: no score",
    "unknown": "not compared with training",
}


def write_predictions_page(run: Path, *, out: Path) -> Path:
    """Write `report.html` into `out`, where `runs.predict` of that run left its tables and pictures; its path."""
    folder = RunFolder(run)
    head = read_settings(folder)
    model, system = read_json(folder.model), find_system(head["reference"])
    unit = partial(system.unit, from_plain(system.settings, head["settings"]))
    table, phantom = read_predictions(out / "predictions.csv"), bool(model["phantom"])
    specimens = pd.read_csv(out / SPECIMENS, dtype=str, keep_default_na=False).to_dict("records")
    names: dict[str, str] = {}
    if (out / NAMES).exists():
        names = dict(pd.read_csv(out / NAMES, dtype=str, keep_default_na=False).itertuples(index=False))
    gallery = Gallery(out, phantom=phantom)
    drawn = [each for each in specimens if _pictures(out, each["row"])]
    sections = [
        _scores(table, cutoffs=read_json(folder.cutoffs), names=names, specimens=specimens, unit=unit),
        *(_pictured(each, gallery, out, names=names) for each in drawn[:PICTURED]),
    ]
    write_text(
        out / "report.html",
        render_page(
            sections,
            title=system.question,
            kicker=f"hepatica predict: {system.name}",
            lead=LEAD,
            phantom=phantom,
            source="the tables and pictures beside it",
        ),
    )
    return out / "report.html"


def _scores(
    table: pd.DataFrame, *, cutoffs: dict[str, float], names: dict[str, str], specimens: list[dict[Any, Any]],
    unit: Callable[[Target, str], str],
) -> Section:  # fmt: skip
    blocks: list[Block] = []
    for target in targets(table):
        found = of_patients(table, target=target)
        if found.empty:
            continue
        cutoff = cutoffs.get(target.key)
        rows = [
            [
                str(row.patient_id),
                *([str(row.class_or_quantity)] if found["class_or_quantity"].notna().any() else []),
                f"{row.score:.3f} {unit(target, _text(row.class_or_quantity))}".strip(),
                _text(row.group) or NONE,
                APPLIES[str(row.applicability)] + ("; SEEN IN TRAINING" if row.seen_in_training else ""),
                "" if pd.isna(row.reason) else str(row.reason),
            ]
            for row in found.head(LISTED).itertuples()
        ]
        header = ["Patient", *(["Of"] if found["class_or_quantity"].notna().any() else []), "Score", "Group"]
        caption = f"{about(target)}." + (f" Cut-off {cutoff:.3f}: a score at or above it is high." if cutoff else "")
        note = f"The first {LISTED} of {len(found)}; all are in predictions.csv." if len(found) > LISTED else ""
        blocks.append(Table(caption=caption, header=[*header, "The specimen is", "Why"], rows=rows, note=note))
    lost = table[table["score"].isna() & table["specimen_id"].isna()].drop_duplicates("patient_id")
    if len(lost):
        rows = [[str(each.patient_id), "" if pd.isna(each.reason) else str(each.reason)] for each in lost.itertuples()]
        blocks.append(Table(caption="Not assessable: no score.", header=["Patient", "Why"], rows=rows))
    if names:
        listed = [[each["row"], str(each["patient_id"]), names.get(each["row"], "")] for each in specimens]
        note = "Written on request (--names): names of files may identify patients. Do not hand this page on."
        blocks.append(Table(caption="Files.", header=["Specimen", "Patient", "File"], rows=listed, note=note))
    return Section(anchor="scores", title="Scores", blocks=blocks)


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def _pictures(out: Path, row: str) -> list[Path]:
    stem = f"specimen_{int(row):04d}_"
    return sorted(each for end in ("png", "jpg") for each in out.glob(f"{stem}*.{end}"))


def _pictured(specimen: dict[Any, Any], gallery: Gallery, out: Path, *, names: dict[str, str]) -> Section:
    row = specimen["row"]
    title = f"Specimen {row}, {specimen['patient_id']}" + (f", {Path(names[row]).name}" if row in names else "")
    shown = sorted(_pictures(out, row), key=lambda each: (each.suffix != ".jpg", not each.stem.endswith("heatmap")))
    panels = [gallery.show(each, alt=f"{title}: {each.stem[14:]}") for each in shown]
    blocks: list[Block] = [Text(text=specimen["reason"], tone="warning")] if specimen.get("reason") else []
    blocks.append(Figure(caption="The specimen, and its scores.", panels=panels[:2], columns=2))
    if panels[2:]:
        blocks.append(Figure(caption="What the network reads and looks at.", panels=panels[2:], columns=1))
    return Section(anchor=f"specimen_{row}", title=title, blocks=blocks)

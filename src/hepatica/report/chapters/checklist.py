"""Checklist: items of TRIPOD+AI, for images also of CLAIM, for diagnoses of STARD; where this report answers each.

Sources: Collins et al., BMJ 2024;385:e078378, doi 10.1136/bmj-2023-078378; Tejani et al., Radiol Artif Intell
2024;6:e240300, doi 10.1148/ryai.240300; Bossuyt et al., BMJ 2015;351:h5527, doi 10.1136/bmj.h5527. Items are in our own
short words.
"""

import tomllib
from importlib.resources import files
from typing import Any

from hepatica.report.chapters import summary
from hepatica.report.page import Answers, Block, Gallery, Run, Section, Text

IMAGES = ("slide", "ct", "mr", "ultrasound")
"""Modalities that CLAIM is about."""

CLAIM = (
    "CLAIM, 2024 update (Tejani et al., Radiol Artif Intell 2024;6:e240300; its items were not compared with the"
    " published list)"
)

CALIBRATED = ("binary", "followed")
"""Kinds of primary score whose report has a chapter on calibration, and offers recalibration."""


def items(of: str = "tripod_ai", *, of_diagnosis: bool = False, calibrated: bool = True) -> list[dict[str, str]]:
    """Each item of a list: its number, topic, what it asks, whether it is answered (or for the authors), section, note.

    `of` is the name of a file beside this one.
    """
    text = files("hepatica.report.chapters").joinpath(f"{of}.toml").read_text(encoding="utf-8")
    usual: dict[str, Any] = {"section": "", "note": "", "diagnosis": {}, "uncalibrated": {}}
    rows = [usual | item for item in tomllib.loads(text)["item"]]
    otherwise = [(row.pop("diagnosis"), row.pop("uncalibrated")) for row in rows]
    return [
        row | (diagnosis if of_diagnosis else {}) | ({} if calibrated else uncalibrated)
        for row, (diagnosis, uncalibrated) in zip(rows, otherwise, strict=True)
    ]


def section(run: Run, gallery: Gallery) -> Section:
    """TRIPOD+AI in full, with a count of what is still for the authors to write, and what is answered of the others."""
    rows = items(of_diagnosis=not run.followed, calibrated=summary.kind(run) in CALIBRATED)
    open_items = sum(row["answered"] == "authors" for row in rows)
    whole = sum(row["answered"] == "answered" for row in rows)
    text = (
        f"Of the {len(rows)} parts of the 27 items, this report answers {whole}, answers"
        f" {len(rows) - whole - open_items} in part and leaves {open_items} to the authors, because only they know the"
        " answer."
    )
    caption = "TRIPOD+AI (Collins et al., BMJ 2024;385:e078378), in our own short words: where each item is answered."
    blocks: list[Block] = [Text(text=text), Answers(caption=caption, rows=rows)]
    if run.system.first.modality in IMAGES:
        blocks += _answered("claim_2024", CLAIM)
    if summary.kind(run) == "binary":
        extended = "which STARD-AI (doi 10.1038/s41591-025-03953-8) extends; its further items are not listed here"
        blocks += _answered("stard_2015", f"STARD 2015 (Bossuyt et al., BMJ 2015;351:h5527), {extended}")
    return Section(anchor="checklist", title="Reporting checklists", blocks=blocks)


def _answered(of: str, title: str) -> list[Block]:
    """The items that this report answers, and the numbers of those that it leaves to the authors."""
    rows = items(of)
    left = ", ".join(row["item"] for row in rows if row["answered"] == "authors")
    answered = [row for row in rows if row["answered"] != "authors"]
    return [Text(text=f"{title}: items {left} are for the authors."), Answers(caption=f"{title}.", rows=answered)]

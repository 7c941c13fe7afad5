"""Checklist: the items of TRIPOD+AI and where this report answers each.

Source: Collins et al., BMJ 2024;385:e078378, doi 10.1136/bmj-2023-078378; items are in our own short words.
"""

import tomllib
from importlib.resources import files

from hepatica.report.page import Answers, Gallery, Run, Section, Text


def items(*, of_diagnosis: bool = False) -> list[dict[str, str]]:
    """Each item: its number, topic, what it asks, whether it is answered (or for the authors), section and note."""
    text = files("hepatica.report.chapters").joinpath("tripod_ai.toml").read_text(encoding="utf-8")
    rows = [{"section": "", "note": "", "diagnosis": {}} | item for item in tomllib.loads(text)["item"]]
    otherwise = [row.pop("diagnosis") for row in rows]
    return [row | other for row, other in zip(rows, otherwise, strict=True)] if of_diagnosis else rows


def section(run: Run, gallery: Gallery) -> Section:
    """The list, with a count of what is still for the authors to write."""
    rows = items(of_diagnosis=not run.followed)
    open_items = sum(row["answered"] == "authors" for row in rows)
    whole = sum(row["answered"] == "answered" for row in rows)
    text = (
        f"Of the {len(rows)} parts of the 27 items, this report answers {whole}, answers"
        f" {len(rows) - whole - open_items} in part and leaves {open_items} to the authors, because only they know the"
        " answer."
    )
    caption = "TRIPOD+AI (Collins et al., BMJ 2024;385:e078378), in our own short words: where each item is answered."
    return Section(
        anchor="checklist",
        title="Reporting checklist: TRIPOD+AI",
        blocks=[Text(text=text), Answers(caption=caption, rows=rows)],
    )

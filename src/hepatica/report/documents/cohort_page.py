"""Cohort page: what `hepatica check` found, as one page with a thumbnail of each specimen that was looked at."""

from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from hepatica.cohort import Cohort
from hepatica.cohort.atomic import write_text
from hepatica.report.page import Block, Figure, Gallery, Section, Table, Text
from hepatica.report.page.page import render_page
from hepatica.runs.check import Checked

PICTURED = 200
"""Specimens whose thumbnails are on the page (ours): one weighs up to 60 kB."""

LEAD = "What should be corrected, or looked at, before a system is trained on this cohort."


def write_cohort_page(found: Checked, *, path: Path) -> Path:
    """Write the page; specimens are called by their row in specimens.csv."""
    cohort = found.cohort
    faults = [Text(text=f"Fault: {each}", tone="warning") for each in found.faults]
    faults = faults or [Text(text="No fault was found.")]
    doubts = [Text(text=f"Look at: {each}") for each in found.doubts]
    sections = [Section(anchor="faults", title="Faults", blocks=[*faults, *doubts])]
    if cohort is not None:
        sections += [_patients(found, cohort), _specimens(found, cohort), _systems(found)]
    about = {"title": f"Cohort {cohort.name}" if cohort else "Cohort with faults", "kicker": "hepatica check"}
    phantom = bool(cohort and cohort.phantom)
    write_text(path, render_page(sections, **about, lead=LEAD, source="the cohort folder", phantom=phantom))
    return path


def _patients(found: Checked, cohort: Cohort) -> Section:
    count = len(cohort.patients)
    rows = [["Patients", str(count)], *([name, text] for name, text in found.endpoints.items())]
    missing = [[name, str(lost), f"{lost / count:.0%}"] for name, lost in found.missing.items()]
    blocks = [
        Table(caption="Patients and endpoints.", header=["", ""], rows=rows),
        Table(caption="Missing values.", header=["Column", "Patients", "Share"], rows=missing),
    ]
    return Section(anchor="patients", title="Patients", blocks=blocks if missing else blocks[:1])


def _specimens(found: Checked, cohort: Cohort) -> Section:
    text = f"{len(cohort.specimens)} specimens, of which {len(found.seen)} were looked into."
    if found.tiles:
        text += (
            f" All tiles of 224 pixels of 0.5 um would take about {found.tiles / 1e9:.3g} GB; {found.free / 1e9:.3g} GB"
            " are free. Where they take more than half of that, they are cut whenever they are read, which is slower."
        )
    blocks: list[Block] = [Text(text=text)]
    pictures = {row: look.picture for row, look in found.seen.items() if look.picture is not None}
    gallery = Gallery(Path(), phantom=cohort.phantom)
    panels = [
        gallery.picture(_numbered(picture, row), alt=f"Specimen of row {row}", longest=400)
        for row, picture in [*pictures.items()][:PICTURED]
    ]
    if panels:
        caption = (
            "Of slides, tissue is outlined in green, folds in orange, ink in blue; of scans, the middle slice is shown."
        )
        blocks.append(Figure(caption=caption, panels=panels, columns=3))
        names = list(dict.fromkeys(name for look in found.seen.values() for name in look.facts))
        rows = [[str(row), *(look.facts.get(name, "") for name in names)] for row, look in found.seen.items()]
        blocks.append(Table(caption="What was read.", header=["Row", *names], rows=rows))
    return Section(anchor="specimens", title="Specimens", blocks=blocks)


def _numbered(picture: Any, row: int) -> Image.Image:
    image = Image.fromarray(picture)
    font = ImageFont.load_default(max(11, image.width // 24))
    ImageDraw.Draw(image).text((4, 4), f"row {row}", "black", font, stroke_width=2, stroke_fill="white")
    return image


def _systems(found: Checked) -> Section:
    rows = [[name, str(count), ""] for name, count in found.systems.items()]
    rows += [[name, "", reason] for name, reason in found.lacking.items()]
    header = ["System", "Patients to learn from", "Lacks"]
    table = Table(caption="Systems that read such specimens.", header=header, rows=rows)
    return Section(anchor="systems", title="What can be trained", blocks=[table])

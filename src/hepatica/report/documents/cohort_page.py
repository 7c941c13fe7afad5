"""Cohort page: what `hepatica check` found, as one page with a thumbnail of each specimen that was looked at."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from hepatica.cohort.atomic import write_text
from hepatica.report.page import Block, Figure, Gallery, Section, Table, Text
from hepatica.report.page.page import render_page
from hepatica.runs.check import Checked, Look

PICTURED = 200
"""Specimens whose thumbnails are on the page (ours): one weighs up to 60 kB."""

LEAD = "What should be corrected, or looked at, before a system is trained on this cohort."


def write_cohort_page(found: Checked, *, path: Path) -> Path:
    """Write the page; specimens are called by their row in specimens.csv."""
    cohort = found.cohort
    sections = [_faults(found), *([_patients(found), _specimens(found), _systems(found)] if cohort else [])]
    title = f"Cohort {cohort.name}" if cohort else "Cohort with faults"
    phantom = bool(cohort and cohort.phantom)
    about = {"title": title, "kicker": "hepatica check", "lead": LEAD, "source": "the cohort folder"}
    write_text(path, render_page(sections, **about, phantom=phantom))
    return path


def _faults(found: Checked) -> Section:
    blocks: list[Block] = [Text(text=f"Fault: {each}", tone="warning") for each in found.faults]
    if not found.faults:
        blocks.append(Text(text="No fault was found."))
    blocks += [Text(text=f"Look at: {each}") for each in found.doubts]
    return Section(anchor="faults", title="Faults", blocks=blocks)


def _patients(found: Checked) -> Section:
    assert found.cohort is not None
    rows = [["Patients", str(len(found.cohort.patients))], *([name, text] for name, text in found.endpoints.items())]
    blocks: list[Block] = [Table(caption="Patients and endpoints.", header=["", ""], rows=rows)]
    missing = [[str(name), str(count), f"{share:.0%}"] for name, count, share in found.missing.itertuples(index=False)]
    if missing:
        blocks.append(Table(caption="Missing values.", header=["Column", "Patients", "Share"], rows=missing))
    return Section(anchor="patients", title="Patients", blocks=blocks)


def _specimens(found: Checked) -> Section:
    assert found.cohort is not None
    gallery = Gallery(Path(), phantom=found.cohort.phantom)
    count, looked = len(found.cohort.specimens), [each for each in found.looks if each.seen]
    text = f"{count} specimens, of which {len(found.looks)} were looked at."
    if found.tiles:
        text += (
            f" All tiles of 0.5 um per pixel would take {found.tiles / 1e9:.3g} GB without compression;"
            f" {found.free / 1e9:.3g} GB are free. Systems that draw a number of tiles a slide need less."
        )
    pictures = [
        gallery.picture(_numbered(each), alt=_words(each), longest=400)
        for each in looked[:PICTURED]
        if each.seen is not None and each.seen.picture is not None
    ]
    caption = (
        "Specimens. Of slides, tissue is outlined in green and pen ink in blue; of scans, the middle slice is shown."
    )
    blocks: list[Block] = [Text(text=text)]
    if pictures:
        blocks.append(Figure(caption=caption, panels=pictures, columns=3))
    header = list(dict.fromkeys(name for each in looked if each.seen for name in each.seen.facts))
    rows = [
        [str(each.specimen.row), *(each.seen.facts.get(name, "") for name in header)] for each in looked if each.seen
    ]
    if rows:
        blocks.append(Table(caption="What was read.", header=["Row", *header], rows=rows))
    return Section(anchor="specimens", title="Specimens", blocks=blocks)


def _numbered(look: Look) -> Image.Image:
    """Its picture, with its row in specimens.csv."""
    assert look.seen is not None
    assert look.seen.picture is not None
    image = Image.fromarray(look.seen.picture)
    font = ImageFont.load_default(max(11, image.width // 24))
    ImageDraw.Draw(image).text((4, 4), f"row {look.specimen.row}", "black", font, stroke_width=2, stroke_fill="white")
    return image


def _words(look: Look) -> str:
    assert look.seen is not None
    return f"Row {look.specimen.row}: {look.seen.facts.get('tissue') or look.seen.facts.get('first series', '')}"


def _systems(found: Checked) -> Section:
    rows = [[name, str(count), ""] for name, count in found.systems.items()]
    rows += [[name, "", reason] for name, reason in found.lacking.items()]
    table = Table(
        caption="Systems that read such specimens.", header=["System", "Patients to learn from", "Lacks"], rows=rows
    )
    return Section(anchor="systems", title="What can be trained", blocks=[table])

"""Heatmaps: where in a specimen the score comes from, drawn specimen by specimen."""

from hepatica.report.page.blocks import Block, Figure, Section, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run
from hepatica.report.page.wording import about


def section(run: Run, gallery: Gallery) -> Section:
    """The pictures `hepatica explain` drew, of patients the model has not seen."""
    blocks = pictures(run, gallery)
    return Section(
        anchor="heatmaps",
        title="Where the score comes from" if run.is_diagnosis else "Where the risk lies",
        blocks=blocks,
    )


def pictures(run: Run, gallery: Gallery) -> list[Block]:
    """A figure of each specimen that was drawn; a line where none was."""
    slide = run.system.modality == "slide"  # of which one picture is narrow; those of a study are all wide
    blocks: list[Block] = []
    for results in run.cohorts:
        for specimen in results.explained():
            files = [results.folder / "explained" / name for name in specimen["files"] if name.endswith(".png")]
            words = f"{results.title}, specimen in row {specimen['row']}, score {specimen['score']:.2f}"
            panels = [gallery.show(path, alt=f"{words}: {_what(path.stem)}") for path in files]
            shown = "; ".join(dict.fromkeys(_what(path.stem) for path in files))
            caption = f"{words} ({about(run.targets[0])}): {shown}."
            if panels:
                blocks.append(Figure(caption=caption, panels=panels, columns="strip" if slide else 1))
    none = Text(text="No specimen was drawn: hepatica explain has not been run on these results.", tone="note")
    return blocks or [none]


def _what(stem: str) -> str:
    """What a picture shows, by its file name: specimen_0012_heatmap shows the heatmap."""
    words = [word for word in stem.split("_") if not word.isdigit() and word != "specimen"]
    return " ".join(words) or "heatmap"

"""Thresholds: high-risk and low-risk tiles on slides of unseen patients, at ever stricter cut-off levels (TCL)."""

from typing import Any

from hepatica.report.page.blocks import Block, Figure, Section, Text
from hepatica.report.page.gallery import Gallery
from hepatica.studies.li_2025_cnn_sasm.chapters.found import Study
from hepatica.studies.li_2025_cnn_sasm.chapters.modules import seeing

MEANING = (
    "The paper draws slides at four threshold cut-off levels (TCL) without giving them. Here a level is the share of"
    " all tiles of patients the network was not trained on that count as high risk, and as low risk; the cut-offs are"
    " the same on each slide, so that areas may be compared between slides. What tissue lies under the tiles is for a"
    " pathologist to say."
)


def section(study: Study, gallery: Gallery) -> Section:
    """The slides of highest and of lowest risk, each at every level."""
    seen = seeing(study)
    words = [_words(each) for each in seen["thresholds"]]
    panels = [
        gallery.show(study.folder / "seeing" / each["file"], alt=f"High-risk and low-risk tiles: {what}")
        for each, what in zip(seen["thresholds"], words, strict=True)
    ]
    shares = ", ".join(f"{level['share']:.0%}" for level in seen["levels"])
    caption = (
        f"High-risk and low-risk tiles at levels of {shares}, on the slides of highest and lowest risk of"
        f" {seen['thresholds'][0]['target']}: {'; '.join(words)}."
    )
    blocks: list[Block] = [Text(text=MEANING), Figure(caption=caption, panels=panels)]
    return Section(anchor="thresholds", title="Where high and low risk lie on the slide", blocks=blocks)


def _words(slide: dict[str, Any]) -> str:
    outcome = "relapsed" if slide["relapsed"] else "relapse-free"
    return f"slide in row {slide['row']}, {outcome}, risk {slide['score']:.2f}"

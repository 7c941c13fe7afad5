"""Interpretation: what each module of CNN-SASM looks at, and slides at ever stricter cut-off levels of risk (TCL)."""

from functools import partial
from typing import Any

import pandas as pd

from hepatica.cohort.atomic import read_json
from hepatica.report.figures.ranking import paint_ends, paint_ranked
from hepatica.report.page import Block, Figure, Gallery, Section, Text
from hepatica.studies.li_2025_cnn_sasm.found import FOLDER, Study
from hepatica.studies.li_2025_cnn_sasm.interpretation import FOUND

MODULES = (
    "Tiles of patients the network was not trained on, chosen because their score agrees with the outcome of their"
    " patient, and overlays of the evidence for relapse in the output of each module. Grad-CAM is the paper's method."
    " It averages over positions, and before the softmax over positions of the spatial module that average cancels: its"
    " maps of the preceding modules may be weak or empty, whatever the tile. HiResCAM keeps positions separate. Such"
    " maps are illustrations, not evidence."
)

PAPER = (
    "The paper reports that channels 10 and 257 received the highest attention and 39 and 154 had minimal impact,"
    " without saying how that was measured. The number of a channel belongs to one training, and another training"
    " assigns it to another feature: the numbers here cannot be compared with the paper's."
)

THRESHOLDS = (
    "The paper draws slides at four threshold cut-off levels (TCL) without giving their values. Here a level is the"
    " share of all tiles of patients the network was not trained on that count as high risk, and as low risk; the"
    " cut-offs are the same on each slide, so that areas may be compared between slides. The tissue under the tiles is"
    " for a pathologist to identify."
)


def modules_section(study: Study, gallery: Gallery) -> Section:
    """The overlays, and the channels that weigh most and least in the relapse score."""
    found = interpretation(study)
    blocks: list[Block] = [Text(text=MODULES), _overlays(study, found["modules"], gallery)]
    if found["channels"]:
        blocks += [_channels(study, found["channels"], gallery), Text(text=PAPER, tone="note")]
    return Section(anchor="modules", title="What each module looks at", blocks=blocks)


def interpretation(study: Study) -> dict[str, Any]:
    """What the study wrote of its pictures."""
    return dict(read_json(study.folder / FOLDER / FOUND))


def _overlays(study: Study, modules: dict[str, Any], gallery: Gallery) -> Figure:
    panels = [
        gallery.show(study.folder / FOLDER / file, alt=f"Tiles with overlays of each module by {method}")
        for method, file in modules["files"].items()
    ]
    caption = (
        f"The highest tiles of {modules['relapsed']} relapsed and the lowest of {modules['relapse_free']} relapse-free"
        f" patients, one each, by {' and by '.join(modules['files'])}."
    )
    return Figure(caption=caption, panels=panels)


def _channels(study: Study, channels: dict[str, Any], gallery: Gallery) -> Figure:
    table = pd.read_csv(study.folder / FOLDER / channels["file"])
    of: dict[str, Any] = {"table": table, "part": "channel", "answer": "relapse"}
    alt = "Bar plot of the channels that weigh most and least"
    ends = gallery.draw("channels_ends", partial(paint_ends, **of), alt=alt)
    ranked = gallery.draw("channels_ranked", partial(paint_ranked, **of), alt="Weight of every channel by rank")
    caption = (
        f"Weight of the {len(table)} channels of the channel self-attention: how far, to first order, a tile's relapse"
        " logit would move without the channel, on average over a patient's tiles and then over patients. Bars and"
        f" band: 95% intervals over patients ({channels['tiles']} tiles of {channels['patients']} patients the network"
        " was not trained on), which do not account for the channels at the ends having been selected as the extreme"
        " ones. Channels count from 0."
    )
    return Figure(caption=caption, panels=[ends, ranked])


def thresholds_section(study: Study, gallery: Gallery) -> Section:
    """The slides of highest and of lowest risk, each at every level."""
    found = interpretation(study)
    words = [_words(each) for each in found["thresholds"]]
    panels = [
        gallery.show(study.folder / FOLDER / each["file"], alt=f"High-risk and low-risk tiles: {what}")
        for each, what in zip(found["thresholds"], words, strict=True)
    ]
    shares = ", ".join(f"{level['share']:.0%}" for level in found["levels"])
    caption = (
        f"High-risk and low-risk tiles at levels of {shares}, on the slides of highest and lowest risk of"
        f" {found['thresholds'][0]['target']}: {'; '.join(words)}."
    )
    blocks: list[Block] = [Text(text=THRESHOLDS), Figure(caption=caption, panels=panels)]
    return Section(anchor="thresholds", title="Where high and low risk lie on the slide", blocks=blocks)


def _words(slide: dict[str, Any]) -> str:
    outcome = "relapsed" if slide["relapsed"] else "relapse-free"
    return f"slide in row {slide['row']}, {outcome}, risk {slide['score']:.2f}"

"""Modules: what the convolution and the two self-attention modules look at, and which channels weigh most."""

from functools import partial
from typing import Any

import pandas as pd
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Patch

from hepatica.cohort.atomic import read_json
from hepatica.report.page.blocks import Block, Figure, Section, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.style import HIGH, INK, LOW, QUIET
from hepatica.studies.li_2025_cnn_sasm.chapters.found import Study

EACH_END = 10
"""Channels drawn at each end of the ranking."""

MEANING = (
    "Tiles of patients the network was not trained on, chosen because the network scores them as their patient's"
    " outcome has it, and overlays of what speaks for relapse in the output of each module. Grad-CAM is the paper's"
    " method. It averages over positions, and before the softmax over positions of the spatial module that average"
    " cancels: its maps of the modules before may be weak or empty, whatever the tile. HiResCAM keeps positions apart."
    " Such maps illustrate; they prove nothing."
)

PAPER = (
    "The paper reports that channels 10 and 257 received the highest attention and 39 and 154 had minimal impact,"
    " without saying how that was measured. A channel has its number from one training, and another training gives the"
    " same number to something else: the numbers here cannot be compared with the paper's."
)


def section(study: Study, gallery: Gallery) -> Section:
    """The overlays, and the channels that weigh most and least in the relapse score."""
    seen = seeing(study)
    blocks: list[Block] = [Text(text=MEANING), _overlays(study, seen["modules"], gallery)]
    if seen["channels"]:
        blocks += [_channels(study, seen["channels"], gallery), Text(text=PAPER, tone="note")]
    return Section(anchor="modules", title="What each module looks at", blocks=blocks)


def seeing(study: Study) -> dict[str, Any]:
    """What the study wrote of its pictures."""
    return dict(read_json(study.folder / "seeing" / "seeing.json"))


def _overlays(study: Study, modules: dict[str, Any], gallery: Gallery) -> Figure:
    panels = [
        gallery.show(study.folder / "seeing" / file, alt=f"Tiles with overlays of each module by {method}")
        for method, file in modules["files"].items()
    ]
    caption = (
        f"The highest tiles of {modules['relapsed']} relapsed and the lowest of {modules['relapse_free']} relapse-free"
        f" patients, one each, by {' and by '.join(modules['files'])}."
    )
    return Figure(caption=caption, panels=panels)


def _channels(study: Study, channels: dict[str, Any], gallery: Gallery) -> Figure:
    table = pd.read_csv(study.folder / "seeing" / channels["file"])
    ends = gallery.draw(
        "channels_ends", partial(_ends, table=table), alt="Bar plot of the channels that weigh most and least"
    )
    ranked = gallery.draw("channels_ranked", partial(_ranked, table=table), alt="Weight of every channel by rank")
    caption = (
        f"Weight of the {len(table)} channels of the channel self-attention: how far, to first order, a tile's relapse"
        " logit would move without the channel, on average over a patient's tiles and then over patients. Bars and"
        f" band: 95% intervals over patients ({channels['tiles']} tiles of {channels['patients']} patients the network"
        " was not trained on), which do not allow for the channels at the ends having been picked as the extreme ones."
        " Channels count from 0."
    )
    return Figure(caption=caption, panels=[ends, ranked])


def _ends(figure: Drawing, *, table: pd.DataFrame) -> None:
    count = min(EACH_END, len(table) // 2)
    shown = pd.concat([table.iloc[:count], table.iloc[len(table) - count :]])
    place = [float(rank + (rank >= count)) for rank in range(2 * count)]
    axes = figure.subplots()
    error = [shown["importance"] - shown["low"], shown["high"] - shown["importance"]]
    colours = [HIGH if direction > 0 else LOW for direction in shown["direction"]]
    axes.barh(place, shown["importance"], color=colours, xerr=error, error_kw={"elinewidth": 0.9, "ecolor": INK})
    axes.set_yticks(place, labels=[str(channel) for channel in shown["channel"]], fontsize=7.5)
    axes.axhline(count, color=QUIET, linestyle=":", linewidth=1)
    axes.invert_yaxis()
    axes.locator_params(axis="x", nbins=5)
    axes.set(xlabel="Weight in the relapse logit", ylabel="Channel", title=f"Top {count} and bottom {count}")
    keys = [Patch(color=HIGH, label="speaks for relapse"), Patch(color=LOW, label="speaks against")]
    axes.legend(handles=keys, loc="lower right")


def _ranked(figure: Drawing, *, table: pd.DataFrame) -> None:
    axes = figure.subplots()
    axes.fill_between(table["rank"], table["low"], table["high"], color=QUIET, alpha=0.35, linewidth=0)
    axes.plot(table["rank"], table["importance"], color=INK)
    axes.set(xlabel="Rank of the channel", ylabel="Weight in the relapse logit", title="All channels")
    axes.set_ylim(bottom=0)

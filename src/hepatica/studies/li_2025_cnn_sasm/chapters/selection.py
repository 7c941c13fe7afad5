"""Selection: which network and which denoised subset, by cross-validation of the training patients."""

from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing

from hepatica.evaluate import Estimate
from hepatica.report.figures.lines import paint_folds, paint_lines
from hepatica.report.page import Block, Figure, Gallery, Section, Table, Text
from hepatica.report.page.style import HIGH, INK, QUIET, SERIES
from hepatica.report.page.wording import NONE, between, difference, p_value
from hepatica.studies.li_2025_cnn_sasm.candidates import CANDIDATES, mebibytes, parameters
from hepatica.studies.li_2025_cnn_sasm.choice import LEVELS, WHO, Level, Patients, compare, performance
from hepatica.studies.li_2025_cnn_sasm.found import Study
from hepatica.studies.li_2025_cnn_sasm.settings import OURS, Name, StudySettings

WHOM = {
    "denoised": "held-out patients whose survival confirms their status",
    "all": "all held-out patients",
}

Found = dict[tuple[str, str], tuple[Estimate, dict[str, float]]]

COLOURS = (QUIET, INK, "#6a51a3", *(each for each in SERIES if each not in (HIGH, SERIES[4])))
"""Of the networks CNN-SASM is compared with: grey, ink and violet the borrowed ones, colours its ablations."""

MEAN = "AUROC, mean over folds"

WIDE = (9.2, 3.6)
"""Inches of a panel across the page."""


def section(study: Study, gallery: Gallery) -> Section:
    """Table 2, Figure 2A to C and the choice of the subset with its reason."""
    found = {(level, who): performance(study.cells, level=level, who=who) for level in LEVELS for who in WHO}
    blocks: list[Block] = [
        Text(text=str(study.choice["reason"])),
        Text(
            text="Testing a network on patients chosen for the agreement of their survival with their label is"
            " optimistic: these patients are easier, and their survival would not be known before treatment. The"
            " paper's AUROC of 0.951 is such a number and should be read beside that on all held-out patients.",
            tone="note",
        ),
        _networks(study, gallery, found["tile", "denoised"]),
        _subsets(study, gallery, found),
        *(_table(study, found, who) for who in WHO),
        *_comparisons(study),
        _published(study),
    ]
    return Section(anchor="selection", title="Model selection", blocks=blocks)


def names(study: Study) -> list[Name]:
    """The networks that were compared, in the order of Table 2."""
    return [name for name in CANDIDATES if name in study.settings.candidates]


def _networks(study: Study, gallery: Gallery, found: Found) -> Figure:
    palette: dict[str, str] = dict(zip([name for name in CANDIDATES if name != OURS], COLOURS, strict=True))
    palette[OURS] = HIGH
    own = {str(name): [found.get((name, ratio)) for ratio in study.subsets] for name in names(study)}
    panel = gallery.draw(
        "selection_networks",
        lambda figure: paint_folds(figure, own, names=list(study.subsets), palette=palette),
        alt="AUROC of each network on each subset: mean over the folds, dots are folds",
        size=WIDE,
    )
    caption = (
        "Figure 2A of the paper. Each network on each denoised subset, tile level, tested on held-out patients whose"
        " survival confirms their status. Dots are folds, bars their mean; the dotted line is chance."
    )
    return Figure(caption=caption, panels=[panel], columns=1)


def _subsets(study: Study, gallery: Gallery, found: dict[tuple[Level, Patients], Found]) -> Figure:
    panels = [
        gallery.draw(
            "selection_performance",
            partial(_paint_levels, study=study, found={level: found[level, "denoised"] for level in LEVELS}),
            alt="AUROC of CNN-SASM by subset at tile, image and patient level, denoised held-out patients",
        ),
        gallery.draw(
            "selection_generalisation",
            partial(_paint_choice, study=study, found=found),
            alt="AUROC of CNN-SASM by subset on denoised and on all held-out patients, and their mean",
        ),
    ]
    caption = (
        "Figures 2B and 2C of the paper. CNN-SASM by subset, with 95% intervals clustered by patient. Left, performance"
        " on denoised held-out patients. Right, the same beside generalisation, and the mean by which the subset is"
        " chosen (ring), at tile level."
    )
    return Figure(caption=caption, panels=panels)


def _paint_levels(figure: Drawing, *, study: Study, found: dict[Level, Found]) -> None:
    lines = {f"{level} level": _ours(study, own) for level, own in found.items()}
    title = "Performance, denoised patients"
    paint_lines(figure.subplots(), lines, names=list(study.subsets), title=title, ylabel=MEAN)


def _paint_choice(figure: Drawing, *, study: Study, found: dict[tuple[Level, Patients], Found]) -> None:
    axes = figure.subplots()
    judged = study.choice["subsets"]
    places = [list(study.subsets).index(ratio) for ratio in judged]
    if study.settings.generalisation == "external":
        general = [each["general"] for each in judged.values()]
        axes.plot(places, general, "s-", color=SERIES[2], markersize=4, label="external, denoised")
    means = [each["mean"] for each in judged.values()]
    axes.plot(places, means, color=QUIET, linestyle="--", linewidth=1.2, label="mean, by which is chosen")
    best = study.choice["ratio"]
    place = list(study.subsets).index(best)
    axes.plot(place, judged[best]["mean"], "o", color=INK, markerfacecolor="none", markersize=11)
    who: dict[str, Patients] = {"denoised held-out": "denoised", "all held-out": "all"}
    lines = {name: _ours(study, found["tile", patients]) for name, patients in who.items()}
    paint_lines(axes, lines, names=list(study.subsets), title="Generalisation and choice", ylabel=MEAN)


def _ours(study: Study, found: Found) -> list[Estimate | None]:
    return [found[OURS, ratio][0] if (OURS, ratio) in found else None for ratio in study.subsets]


def _table(study: Study, found: dict[tuple[Level, Patients], Found], who: Patients) -> Table:
    rows: list[list[str]] = []
    for level in LEVELS:
        rows.append([f"{level.capitalize()} level"])
        rows += [[name, *_cells(study, found[level, who], name)] for name in names(study)]
    return Table(
        caption=f"AUROC of each network on each subset, mean over {study.settings.folds} folds, on {WHOM[who]}.",
        header=["", *study.subsets, "Average"],
        rows=rows,
        note="95% intervals: DeLong's variance clustered by patient, summed over folds. Scores of an image and of a"
        " patient are means over their tiles and images. The average over subsets has no interval of its own: the same"
        " patients are in all.",
    )


def _cells(study: Study, found: Found, name: str) -> list[str]:
    known = {ratio: found[name, ratio][0] for ratio in study.subsets if (name, ratio) in found}
    cells = {
        ratio: between(f"{each.value:.3f}", f"{each.low:.2f}", f"{each.high:.2f}") for ratio, each in known.items()
    }
    average = f"{np.mean([each.value for each in known.values()]):.3f}" if known else NONE
    return [*(cells.get(ratio, NONE) for ratio in study.subsets), average]


def _comparisons(study: Study) -> list[Block]:
    """Paired tests on the chosen subset; none where no other network was trained."""
    if names(study) == [OURS]:
        return []
    best = study.choice["ratio"]
    rows = []
    for who in WHO:
        rows.append([f"On {WHOM[who]}"])
        compared = compare(study.cells, first=OURS, ratio=best, who=who)
        rows += [[name, difference(each), p_value(each.p)] for name, each in compared.items()]
    table = Table(
        caption=f"{OURS} against each other network on subset {best}: difference of their AUROC at tile level.",
        header=["Against", f"{OURS} minus it", "P"],
        rows=rows,
        note="Paired test on the same held-out tiles, clustered by patient; the P values are not corrected for the"
        " number of comparisons.",
    )
    return [table]


def _published(study: Study) -> Table:
    """Sizes of the networks, and what the paper prints of them."""
    rows = [_size(name, study.settings) for name in names(study)]
    return Table(
        caption="Size of each network, and the AUROC the paper reports on its own patients.",
        header=["", "Trained here", "At the paper's settings", "Paper's size", "Paper 1/4", "1/3", "1/2", "2/3", "3/4",
                "1"],
        rows=rows,
        note='Parameters and MiB in single precision: the paper\'s column "Parameters (M)" is MiB. Its ResNet18 and'
        " Swin-Transformer include the ImageNet classifier they leave unused (513,000 and 1,025,000 parameters), which"
        " is left out here. The paper's columns are of other patients, for orientation.",
    )  # fmt: skip


def _size(name: Name, here: StudySettings) -> list[str]:
    candidate = CANDIDATES[name]
    counts = [parameters(candidate, settings) for settings in (here, StudySettings())]
    printed: dict[str, Any] = dict(candidate.published)
    size = f"{printed.pop('MiB'):.2f} MiB"
    return [name, *(f"{count:,} = {mebibytes(count):.2f} MiB" for count in counts), size,
            *(f"{each:.3f}" for each in printed.values())]  # fmt: skip

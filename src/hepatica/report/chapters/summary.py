"""Summary: what was asked, of whom, and the numbers one would quote, on half a page."""

from hepatica.report.page.blocks import Block, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.metric_table import metric_table
from hepatica.report.page.provenance import system_title
from hepatica.report.page.results import Run
from hepatica.report.page.wording import about, patients

QUOTED = ("auroc", "c_index", "log_rank_p")
QUOTED_OF_DIAGNOSIS = ("auroc", "sensitivity", "specificity")

FEW_EVENTS = 100
"""Events below which an evaluation is imprecise (Collins 2016, doi 10.1002/sim.6787); of those without, the same."""


def section(run: Run, gallery: Gallery) -> Section:
    """Question, design, key numbers with intervals, limits the software can see."""
    paper = run.system.paper
    seen = run.internal.patients["fold"].isin(["train", "validation"]).sum()
    design = (
        f"{system_title(run)} was trained on {patients(int(seen))} of {run.internal.cohort['name']}, locked, and then"
        f" applied to {_applied(run)}. Nothing was fitted, chosen or re-tuned on those patients; the cut-offs are"
        " locked with the model."
    )
    source = f"The system: {paper.authors} {paper.title}. {paper.journal} ({paper.year}), doi {paper.doi}."
    blocks: list[Block] = [Text(text=design), Text(text=source), _key_numbers(run), *_warnings(run)]
    return Section(anchor="summary", title="Summary", blocks=blocks)


def _applied(run: Run) -> str:
    told = [
        f"{patients(int((each.patients['fold'] == each.fold).sum()))} of {each.cohort['name']}"
        f" ({'held back before training' if each.fold == 'test' else 'another cohort'})"
        for each in run.cohorts
    ]
    return ", and to ".join(told)


def quoted(run: Run) -> tuple[str, ...]:
    """Metrics on the first page."""
    return QUOTED_OF_DIAGNOSIS if run.is_diagnosis else QUOTED


def _key_numbers(run: Run) -> Table:
    survival = (
        "AUROC and C-index: 0.5 is chance, 1 is perfect. Log-rank P compares patients at or above the locked cut-off"
        " with those below it."
    )
    diagnosis = f"AUROC: 0.5 is chance, 1 is perfect. Calls are those at the locked cut-off, {run.cutoff_rule}."
    return metric_table(
        run,
        quoted(run),
        caption="The numbers to quote, with 95% confidence intervals.",
        note=diagnosis if run.is_diagnosis else survival,
    )


def _warnings(run: Run) -> list[Block]:
    """Limits that can be read off the tables."""
    told = []
    if not run.external:
        told.append(
            "There is no external cohort: how the model does at another hospital is unknown. See hepatica validate."
        )
    for each in run.cohorts:
        label = each.outcomes(run.targets[0])["label"]
        events, without = int((label == 1).sum()), int((label == 0).sum())
        if min(events, without) < FEW_EVENTS:
            told.append(
                f"{each.title}: {events} with and {without} without {about(run.targets[0])}; fewer than {FEW_EVENTS} of"
                " either leave wide intervals."
            )
    return [Text(text=text, tone="warning") for text in told]

"""Summary: what was asked, of whom, and the numbers one would quote, on half a page."""

from hepatica.report.chapters import applicability
from hepatica.report.page import Block, Gallery, Run, Section, Table, Text
from hepatica.report.page.metric_table import metric_table
from hepatica.report.page.provenance import system_title
from hepatica.report.page.wording import about, patients

QUOTED = {
    "followed": ("auroc", "c_index", "log_rank_p"),
    "binary": ("auroc", "sensitivity", "specificity"),
    "multi_class": ("accuracy", "auroc_macro", "kappa"),
    "survival": ("c_index", "hazard_ratio", "log_rank_p"),
    "subtypes": ("c_index", "log_rank_p"),
    "quantities": ("bias", "rmse", "concordance"),
    "margin": ("bias", "rmse", "concordance"),
}
"""Metrics on the first page, by the task of the primary score."""

NOTES = {
    "followed": "AUROC and C-index: 0.5 is chance, 1 is perfect. Log-rank P compares patients at or above the locked"
    " cut-off with those below it.",
    "binary": "AUROC: 0.5 is chance, 1 is perfect. Calls are those at the locked cut-off, {}.",
    "survival": "C-index: 0.5 is chance, 1 is perfect. Groups are those at the locked cut-off, {}.",
    "subtypes": "C-index of the expected subtype: 0.5 is chance, 1 is perfect. Log-rank P compares the subtypes.",
}

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
    cohorts = [
        f"{patients(int((each.patients['fold'] == each.fold).sum()))} of {each.cohort['name']}"
        f" ({'set apart before training' if each.fold == 'test' else 'another cohort'})"
        for each in run.cohorts
    ]
    return ", and to ".join(cohorts)


def kind(run: Run) -> str:
    """The task of the primary score; `followed` is a binary one by the horizons of a survival endpoint."""
    target = run.targets[0]
    return "followed" if target.task == "binary" and target.followed else target.task


def quoted(run: Run) -> tuple[str, ...]:
    """Metrics on the first page."""
    return QUOTED.get(kind(run), ())


def _key_numbers(run: Run) -> Table:
    return metric_table(
        run,
        quoted(run),
        caption="The numbers to quote, with 95% confidence intervals.",
        note=NOTES.get(kind(run), "").format(run.cutoff_rule),
    )


def _warnings(run: Run) -> list[Block]:
    """Limits that can be read from the tables."""
    texts = []
    if not run.external:
        texts.append("There is no external cohort: performance at another hospital is unknown. See hepatica validate.")
    for each in run.cohorts if run.targets[0].task == "binary" else ():
        label = each.outcomes(run.targets[0])["label"]
        events, without = int((label == 1).sum()), int((label == 0).sum())
        if min(events, without) < FEW_EVENTS:
            texts.append(
                f"{each.title}: {events} with and {without} without {about(run.targets[0])}; fewer than {FEW_EVENTS} of"
                " either leave wide intervals."
            )
    unusual = (applicability.warning(each.title, applicability.specimens(each)) for each in run.cohorts)
    return [Text(text=text, tone="warning") for text in [*texts, *filter(None, unusual)]]

"""Performance: Table 2 of Wang 2021, the model on test sets at its locked cut-off, beside what the paper prints."""

from hepatica.cohort import Target
from hepatica.evaluate.binary.binary import AT_A_CUTOFF
from hepatica.report.page.blocks import Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.metric_table import metric_cell
from hepatica.report.page.results import Results, Run
from hepatica.report.page.wording import METRICS, interval
from hepatica.studies.wang_2021.chapters.published import AUROC, TABLE_2, WHERE

ORDER = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "kappa", "f1")


def section(run: Run, gallery: Gallery) -> Section:
    """Rates at the locked cut-off with exact intervals, kappa and F1, the paper's in columns of their own."""
    target = run.targets[0]
    rows = [["True and false positives", *map(_positives, WHERE), *(_found(each, target)[0] for each in run.cohorts)]]
    rows += [["True and false negatives", *map(_negatives, WHERE), *(_found(each, target)[1] for each in run.cohorts)]]
    for name in ("auroc", *ORDER):
        here = [metric_cell(run, each, name, target=target) for each in run.cohorts]
        rows.append([METRICS[name], *(_printed(name, where) for where in WHERE), *here])
    table = Table(
        caption="Table 2 of the paper: classification at the locked cut-off, with 95% confidence intervals.",
        header=["", "Paper, internal test", "Paper, external test", *(each.title for each in run.cohorts)],
        rows=rows,
        note="Exact intervals (Clopper and Pearson) of rates, as in the paper; kappa is Cohen's, of call and diagnosis."
        " The paper's columns are computed from the counts of its patients, with which every number it prints agrees;"
        " it gives no intervals of kappa and F1. Other patients: the columns test nothing.",
    )
    told = (
        f"A patient is called HCC when his score is at or above the locked cut-off, {run.cutoff_rule}. The"
        " paper does not tell its own. Neither of its test sets holds a patient without a lesion, although 3,421 of"
        " 7,512 training patients had none: specificity depends on who the others are, see the subgroups."
    )
    return Section(anchor="performance", title="Performance on test sets", blocks=[Text(text=told), table])


def _positives(where: str) -> str:
    return f"{TABLE_2[where].tp}, {TABLE_2[where].fp}"


def _negatives(where: str) -> str:
    return f"{TABLE_2[where].tn}, {TABLE_2[where].fn}"


def _printed(name: str, where: str) -> str:
    return AUROC[where] if name == "auroc" else interval(AT_A_CUTOFF[name](TABLE_2[where]).as_dict())


def _found(results: Results, target: Target) -> tuple[str, str]:
    """True and false positives, and true and false negatives, at the locked cut-off."""
    known = results.outcomes(target).dropna(subset=["label"])
    ill, called = known["label"] == 1, known["group"] == "high"
    return f"{(ill & called).sum()}, {(~ill & called).sum()}", f"{(~ill & ~called).sum()}, {(ill & ~called).sum()}"

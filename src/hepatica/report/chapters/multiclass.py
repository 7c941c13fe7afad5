"""Multi-class: which of several classes patients are called, and how well each class is separated from the rest."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import Classes, LesionClasses, Target, class_scores
from hepatica.cohort.predictions import LESION, PROBABILITY
from hepatica.evaluate.multiclass.metrics import OF_A_CLASS, multiclass_metrics
from hepatica.report.figures import roc
from hepatica.report.figures.matrix import matrix
from hepatica.report.page import Block, Gallery, Results, Run, Section, Table
from hepatica.report.page.metric_table import metric_table
from hepatica.report.page.wording import METRICS, estimate, level

OVERALL = ("accuracy", "auroc_macro", "f1_macro", "kappa")
OF_ORDERED = ("kappa_weighted", "kappa_weighted_linear")


def section(run: Run, gallery: Gallery) -> Section | str:
    """Confusion matrices, one-vs.-rest ROC curves, statistics over all classes and of each class."""
    target = run.targets[0]
    endpoint = run.internal.endpoint(target)
    if not isinstance(endpoint, Classes):
        return "The cohort declares no classes for the primary endpoint."
    classes = [str(name) for name in endpoint.classes]

    blocks: list[Block] = [
        gallery.by_cohort(
            "confusion",
            run.cohorts,
            partial(_matrix, target=target, classes=classes),
            alt="Confusion matrix",
            caption="Confusion matrices: the truth in rows; the predicted class is the most probable one.",
            size=(1.6 + 0.8 * len(classes), 1.6 + 0.5 * len(classes)),
        ),
        gallery.by_cohort(
            "roc",
            run.cohorts,
            partial(_curves, target=target, classes=classes),
            alt="ROC curves of each class against the rest",
            caption="ROC curves of each class against the rest.",
        ),
        metric_table(
            run,
            (*OVERALL, *OF_ORDERED) if endpoint.ordered else OVERALL,
            caption="Classification into all classes, with 95% confidence intervals.",
            note="Macro: the unweighted mean over classes.",
        ),
        *(_of_lesions(run) if isinstance(endpoint, LesionClasses) else _of_regions(run, target, classes)),
        *(_by_class(each, target, classes) for each in run.cohorts),
    ]
    return Section(anchor="discrimination", title="Classification", blocks=blocks)


def _of_lesions(run: Run) -> list[Block]:
    names = tuple(f"lesion_{name}" for name in ("accuracy", "auroc_macro", "kappa"))
    caption = "Classification of single lesions, with 95% confidence intervals clustered by patient."
    return [metric_table(run, names, caption=caption, note="Above, a patient's class is that of their largest lesion.")]


def _of_regions(run: Run, target: Target, classes: list[str]) -> list[Block]:
    """The same of single regions and lesions of patients who have several, each by the class of their patient."""
    rows = []
    for each in run.cohorts:
        regions = pd.read_parquet(each.folder / "regions.parquet").rename(
            columns=lambda name: name.removeprefix(PROBABILITY)
        )
        if not {*classes, "lesion_id"} <= {*regions.columns}:
            return []
        truth = scored(each, target)["truth"]
        own = regions[regions["patient_id"].isin(truth.index)]
        lesions = own.groupby(LESION, as_index=False)[classes].mean()
        units = {f"{run.region} patches": own} if len(own) > len(lesions) else {}
        for unit, table in (units | {"lesions": lesions}).items():
            found = multiclass_metrics(
                truth.loc[table["patient_id"]], score=table[classes], classes=classes, group=table["patient_id"]
            )
            count = f"{len(table):,} of {table['patient_id'].nunique()}"
            rows.append([f"{each.title}, {unit}", count, *(str(found[name]) for name in OVERALL)])
    header = ["", "Count, patients", *(METRICS[name] for name in OVERALL)]
    caption = (
        "The same of single patches and lesions, each with the class of its patient; intervals clustered by patient."
    )
    return [Table(caption=caption, header=header, rows=rows)]


def scored(results: Results, target: Target) -> pd.DataFrame:
    """Probabilities of each class (columns) of the reported patients of known class, and their class in `truth`."""
    scores = class_scores(results.predictions, target=target, fold=results.fold)
    truth = results.endpoint(target).strata(results.patients.loc[scores.index])
    return scores.assign(truth=truth).dropna(subset=["truth"])


def _matrix(figure: Drawing, *, results: Results, target: Target, classes: list[str]) -> None:
    table = scored(results, target)
    called = table[classes].idxmax(axis=1)
    counts = np.array([[((table["truth"] == a) & (called == b)).sum() for b in classes] for a in classes])
    names = [level(name) for name in classes]
    matrix(figure.subplots(), counts, truth=names, called=names, title=results.title)


def _curves(figure: Drawing, *, results: Results, target: Target, classes: list[str]) -> None:
    table = scored(results, target)
    curves = [
        roc.Curve(
            name=f"{level(name)}: {estimate(results.metric(f'auroc[{name}]', target))}",
            label=(table["truth"] == name).astype(float),
            score=table[name],
        )
        for name in classes
    ]
    roc.paint(figure, curves=curves, title=results.title)


def _by_class(results: Results, target: Target, classes: list[str]) -> Table:
    names, truth = ("auroc", *OF_A_CLASS), scored(results, target)["truth"]
    rows = [
        [
            level(each),
            str(int((truth == each).sum())),
            *(estimate(results.metric(f"{name}[{each}]", target)) for name in names),
        ]
        for each in classes
    ]
    return Table(
        caption=f"Each class against the rest, with 95% confidence intervals. {results.title}.",
        header=["Class", "Patients", *(METRICS[name] for name in names)],
        rows=rows,
    )

"""Subtypes: the size of each, and whether survival differs between them."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing
from sklearn.metrics import adjusted_rand_score

from hepatica.cohort import Target
from hepatica.evaluate import cox
from hepatica.report.chapters.follow_up.survival import TALL, competing, free_of, log_rank
from hepatica.report.figures.kaplan_meier import Arm, paint
from hepatica.report.page import Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.metric_table import metric_rows, target_table
from hepatica.report.page.style import HIGH, LOW, SERIES
from hepatica.report.page.wording import attempt, cell, equals, p_value, share

METRICS = ("c_index", "log_rank_p", "log_rank_permutation_p")

COLOURS = (HIGH, LOW, *SERIES[2:])
"""Of the subtypes, that of the most events first."""

GENOMIC = "genomic_cluster"
"""Column of patients.csv with the cluster that each patient has by their genes."""

SHUFFLES = 999
"""Permutations of the genomic clusters among patients. Ours."""

NOTE = (
    "Subtypes selected by survival differ in survival among the patients in whom they were found, even if survival"
    " is permuted among them. How often that happens, and how stable the clusters are, is listed with the facts of"
    " the locked model (Settings, versions and digests). The patients shown here were not used to find the subtypes."
)


def section(run: Run, gallery: Gallery) -> Section:
    """Kaplan-Meier curves by subtype; sizes, log-rank tests and C-index."""
    figure = gallery.by_target(
        "subtypes",
        [(each, target) for target in run.targets for each in run.cohorts],
        _paint,
        alt="Kaplan-Meier curves of the subtypes",
        caption="Kaplan-Meier curves by the most probable subtype. Shaded: 95% intervals; ticks: censored patients.",
        size=TALL,
        columns=run.columns,
    )
    table = target_table(
        run,
        lambda target: [*metric_rows(run, METRICS, target=target), *_sizes(run, target)],
        caption="Survival by subtype, with 95% confidence intervals.",
        note="C-index: of the expected subtype. Permutation: subtypes permuted among patients.",
    )
    return Section(
        anchor="subtypes",
        title="Survival by subtype",
        blocks=[figure, *competing(run.targets), table, *_genomic(run), Text(text=NOTE, tone="note")],
    )


def _genomic(run: Run) -> list[Table]:
    """Of each cohort with GENOMIC: agreement with the subtypes, and their hazard ratios alone and adjusted for it."""
    known = [(each, target) for each in run.cohorts for target in run.targets if GENOMIC in each.patients]
    return [_beside_genes(results, target) for results, target in known]


def _beside_genes(results: Results, target: Target) -> Table:
    outcomes = results.outcomes(target).join(results.patients[GENOMIC], how="inner").dropna(subset=[GENOMIC])
    found = adjusted_rand_score(outcomes[GENOMIC].astype(str), outcomes["group"])
    rng = np.random.default_rng(0)
    codes = pd.factorize(outcomes[GENOMIC])[0]
    shuffled = [adjusted_rand_score(rng.permutation(codes), outcomes["group"]) for _ in range(SHUFFLES)]
    p = (1 + sum(each >= found for each in shuffled)) / (1 + SHUFFLES)
    rows = [["Adjusted Rand index with the genomic cluster", f"{found:.3f}", f"P {equals(p_value(p))}"]]
    own, genes = (pd.get_dummies(outcomes[name], drop_first=True, dtype=float) for name in ("group", GENOMIC))
    for name, values in own.items():
        ratios = [
            _ratio(each, outcomes, str(name)) for each in (values.to_frame(), own.join(genes.add_prefix("genes ")))
        ]
        rows.append([f"Hazard ratio, {name} vs. {min(outcomes['group'])}", *ratios])
    return Table(
        caption=f"Subtypes and genomic clusters of {len(outcomes)} patients. {results.title}.",
        header=["", "Alone", "Adjusted for the genomic cluster"],
        rows=rows,
        note=f"Index: 1 for the same groups, 0 for groups as alike as by chance; P by {SHUFFLES} permutations.",
    )


def _ratio(terms: pd.DataFrame, outcomes: pd.DataFrame, name: str) -> str:
    found = attempt(lambda: cox(terms, time=outcomes["time"], event=outcomes["event"])[name].ratio)
    return cell(found, digits=2)


def arms(results: Results, target: Target) -> list[Arm]:
    """One a subtype, of the patients that are reported."""
    outcomes = results.outcomes(target)
    names = sorted(outcomes["group"].unique())
    return [
        Arm(name=name, colour=COLOURS[place % len(COLOURS)], patients=outcomes[outcomes["group"] == name])
        for place, name in enumerate(names)
    ]


def _paint(figure: Drawing, *, results: Results, target: Target) -> None:
    note = log_rank(results.metric("log_rank_p", target))
    paint(figure, drawn=arms(results, target), title=results.title, note=note, ylabel=free_of(target))


def _sizes(run: Run, target: Target) -> list[list[str]]:
    found = [{each.name: len(each.patients) for each in arms(results, target)} for results in run.cohorts]
    names = sorted({name for each in found for name in each})
    return [[name, *(share(each.get(name, 0), sum(each.values())) for each in found)] for name in names]

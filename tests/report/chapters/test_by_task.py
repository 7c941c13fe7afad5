"""By task: a report of every kind of task, made of a run folder whose predictions table is of that task."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix

from hepatica.cohort import Binary, MultiClass, Target
from hepatica.cohort.predictions import PROBABILITY, as_predictions
from hepatica.cohort.seal import sealing
from hepatica.evaluate import auroc, quantity_metrics
from hepatica.evaluate.multiclass.metrics import multiclass_metrics
from hepatica.report.chapters import agreement, multiclass, segmentation, summary
from hepatica.report.chapters.by_task import BY_TASK, FIRST, LAST, chapters_of
from hepatica.report.chapters.follow_up import survival
from hepatica.report.chapters.multiclass import scored
from hepatica.report.chapters.variables import comparators
from hepatica.report.page.blocks import Figure, Section, Table
from hepatica.report.page.results import CUTOFFS, Results, Run, read_run

CLASSES = ("A", "B", "C")
FOLDS = ("test", "set_aside")


def of_task(run: Run, target: Target, scores: dict[str | None, str], *, endpoint: dict, **patients: object) -> Run:
    """The run with another question: `scores` names, by class or quantity, the column of patients that is its score."""
    cohorts = []
    for each in run.cohorts:
        own = each.patients.assign(**patients)
        rows = [
            own.reset_index()[["patient_id", "fold"]].assign(
                specimen_id=pd.NA,
                task=target.task,
                endpoint=target.endpoint,
                horizon_months=np.nan,
                class_or_quantity=name,
                score=own[column].to_numpy(float),
                group=np.where(own[column] > own[column].median(), "high", "low"),
            )
            for name, column in scores.items()
        ]
        cohort = each.cohort | {"endpoints": {target.endpoint: endpoint}}
        cohorts.append(replace(each, predictions=as_predictions(pd.concat(rows)), patients=own, cohort=cohort))
    return replace(run, cohorts=tuple(cohorts), cutoffs={target.key: 0.5})


def with_metrics(run: Run, found: Callable[[Results], dict]) -> Run:
    """The run with these statistics of its reported patients in place of metrics.json."""
    cohorts = []
    for each in run.cohorts:
        rows = [
            {"fold": each.fold, "target": each.targets[0].key, "cutoff": None, "metric": name, **estimate.as_dict()}
            for name, estimate in found(each).items()
        ]
        cohorts.append(replace(each, metrics=pd.DataFrame(rows)))
    return replace(run, cohorts=tuple(cohorts))


@pytest.fixture
def classes(finished: Path) -> Run:
    """Three classes, and probabilities that know something of them."""
    run, rng = read_run(finished), np.random.default_rng(3)
    target = Target(endpoint="kind", task="multi_class")

    def column(place: int) -> Callable[[pd.DataFrame], np.ndarray]:
        return lambda table: 0.2 + 0.4 * (table["kind"] == CLASSES[place]) + 0.001 * np.arange(len(table))

    made = of_task(
        run,
        target,
        dict(zip(CLASSES, ("p_0", "p_1", "p_2"), strict=True)),
        endpoint={"label": "kind", "classes": list(CLASSES), "ordered": True},
        kind=lambda table: np.where(np.arange(len(table)) % 9 == 0, None, rng.choice(CLASSES, len(table))),
        **{f"p_{place}": column(place) for place in range(3)},
    )

    def found(results: Results) -> dict:
        table = scored(results, target)
        return multiclass_metrics(table["truth"], score=table[list(CLASSES)], classes=CLASSES, ordered=True)

    return with_metrics(made, found)


def blocks_of(made: Section | str, kind: type) -> list:
    assert not isinstance(made, str)
    return [block for block in made.blocks if isinstance(block, kind)]


def test_classes_are_counted_and_judged_one_by_one(classes: Run, tmp_path: Path, sketchbook: Callable) -> None:
    gallery = sketchbook(tmp_path)
    made = multiclass.section(classes, gallery)
    overall, internal, _ = blocks_of(made, Table)
    table = scored(classes.internal, classes.targets[0])
    assert table["truth"].isin(CLASSES).all()
    assert len(table) < len(classes.internal.reported)
    counts = confusion_matrix(table["truth"], table[list(CLASSES)].idxmax(axis=1), labels=CLASSES)
    assert all(str(count) in gallery.words["confusion_internal"] for count in counts.ravel())
    expected = auroc((table["truth"] == "B").to_numpy(float), score=table["B"]).value
    assert internal.rows[1][:2] == ["B", str(int((table["truth"] == "B").sum()))]
    assert internal.rows[1][2].startswith(f"{expected:.3f}")
    assert "Kappa, quadratic weights" in [row[0] for row in overall.rows]


def test_patches_and_lesions_are_judged_apart_by_the_class_of_their_patient(
    classes: Run, tmp_path: Path, sketchbook: Callable
) -> None:
    target, rng, cohorts = classes.targets[0], np.random.default_rng(0), []
    for each in classes.cohorts:
        known = scored(each, target)
        rows = known.loc[known.index.repeat(3)].rename_axis(None)
        patches = rows[list(CLASSES)] + rng.random((len(rows), 3))
        table = patches.add_prefix(PROBABILITY).assign(
            patient_id=rows.index, specimen_id="1", lesion_id=np.tile(["1", "1", "2"], len(known))
        )
        cohorts.append(replace(each, folder=tmp_path / each.key))
        cohorts[-1].folder.mkdir()
        table.to_parquet(cohorts[-1].folder / "regions.parquet", index=False)
    classes = replace(classes, cohorts=tuple(cohorts))
    _, levels, *_ = blocks_of(multiclass.section(classes, sketchbook(tmp_path)), Table)
    assert len(levels.rows) == 2 * len(classes.cohorts)
    (patch, lesion), count = levels.rows[-2:], len(known)
    assert (patch[1], lesion[1]) == (f"{3 * count:,} of {count}", f"{2 * count:,} of {count}")
    right = (patches.idxmax(axis=1) == rows["truth"]).mean()
    assert patch[2].startswith(f"{right:.3f} (")


def test_of_two_classes_the_second_is_compared_with_other_scores(
    finished: Path, tmp_path: Path, sketchbook: Callable
) -> None:
    target = Target(endpoint="kind", task="multi_class")
    of_two = of_task(
        read_run(finished), target, {"LR-3": "p", "LR-4/5": "q"},
        endpoint={"label": "kind", "classes": ["LR-3", "LR-4/5"]},
        kind=lambda table: np.where(np.arange(len(table)) % 3, "LR-3", "LR-4/5"),
        p=lambda table: 1 - np.arange(len(table)) / len(table), q=lambda table: np.arange(len(table)) / len(table),
    )  # fmt: skip
    cohorts = [replace(each, folder=tmp_path / each.key) for each in of_two.cohorts]
    for each in cohorts:
        each.folder.mkdir()
        truth = each.patients["kind"].eq("LR-4/5")
        with sealing(each.folder / "comparators.parquet") as temporary:
            truth.to_frame("li_rads").astype(float).to_parquet(temporary)
    made = comparators.section(replace(of_two, cohorts=tuple(cohorts)), sketchbook(tmp_path))
    tables = blocks_of(made, Table)
    assert len(tables) == len(cohorts)
    for table, each in zip(tables, cohorts, strict=True):
        known = scored(each, target)
        assert table.header[3] == "AUROC"
        (title,), row = table.rows
        assert title == "Kind: LR-4/5"
        assert (row[0], row[1]) == ("LI-RADS category", f"{len(known)}\u00a0(100%)")
        assert row[3].startswith("1.000")
        assert row[4] == str(auroc(known["truth"] == "LR-4/5", score=known["LR-4/5"]))


def test_measured_values_are_compared(finished: Path, tmp_path: Path, sketchbook: Callable) -> None:
    target = Target(endpoint="stiffness", task="quantities")
    run = of_task(
        read_run(finished),
        target,
        {None: "guess"},
        endpoint={"value": "kpa", "unit": "kPa"},
        kpa=lambda table: 5 + np.arange(len(table)) / 10,
        guess=lambda table: 6 + np.arange(len(table)) / 10 + np.arange(len(table)) % 2,
    )

    def found(results: Results) -> dict:
        table = agreement.both(results, target)
        return quantity_metrics(table["predicted"], true=table["measured"])

    made = agreement.section(with_metrics(run, found), sketchbook(tmp_path))
    [table] = blocks_of(made, Table)
    assert "kPa" in table.caption
    both = agreement.both(run.internal, target)
    assert table.rows[1][1].startswith(f"{(both['predicted'] - both['measured']).mean():.3f} (")
    assert len(blocks_of(made, Figure)[0].panels) == 2


def test_masks_are_judged_case_by_case(finished: Path, tmp_path: Path, sketchbook: Callable) -> None:
    run = read_run(finished, external=[])
    assert "No case was measured" in str(segmentation.section(run, sketchbook(tmp_path)))
    folder = tmp_path / "results"
    folder.mkdir()
    names = run.internal.patients.index
    cases = pd.DataFrame({"patient_id": names, "dice": np.linspace(0.5, 0.9, len(names)), "hd95_mm": 4.0})
    cases.to_parquet(folder / segmentation.CASES)
    run = replace(run, cohorts=(replace(run.internal, folder=folder),))
    made = segmentation.section(run, sketchbook(tmp_path))
    [table] = blocks_of(made, Table)
    own = cases[cases["patient_id"].isin(run.internal.reported.index)]
    assert [row[0] for row in table.rows] == ["Dice", "95% Hausdorff distance, mm"]
    assert table.rows[0][1].startswith(f"{own['dice'].mean():.3f} (")
    assert table.header[1].endswith(f"{len(own)} cases")


def test_a_real_valued_score_is_judged_at_several_times(finished: Path, tmp_path: Path, sketchbook: Callable) -> None:
    run = read_run(finished, external=[])
    target = Target(endpoint="recurrence", task="survival")
    endpoint = run.internal.cohort["endpoints"]["recurrence"]
    run = of_task(run, target, {None: "risk"}, endpoint=endpoint, risk=lambda table: -table["recurrence_months"])
    made = survival.section(run, sketchbook(tmp_path))
    [table] = blocks_of(made, Table)
    rows = {row[0]: row[1] for row in table.rows if len(row) > 1}
    assert [name for name in rows if name.startswith("Time-dependent")] == [
        f"Time-dependent AUROC at {months} months" for months in (12, 36, 60)
    ]
    assert rows["Time-dependent AUROC at 12 months"].startswith("1.000")
    assert summary.kind(run) == "survival"
    assert chapters_of(run)[len(FIRST) : -len(LAST)] == BY_TASK["survival"]


def test_the_rule_of_cutoffs_is_that_of_the_task_that_has_one(finished: Path) -> None:
    run = read_run(finished, external=[])
    tasks = (MultiClass("kind", classes=CLASSES), Binary("response", rule="balanced"))
    asked = replace(run, system=replace(run.system, task=tasks))
    assert asked.cutoff_rule == CUTOFFS["balanced"]
    assert replace(run, system=replace(run.system, task=tasks[:1])).cutoff_rule == "none"


def test_every_chapter_of_a_task_can_be_made(classes: Run, tmp_path: Path, sketchbook: Callable) -> None:
    made = [chapter(classes, sketchbook(tmp_path)) for chapter in chapters_of(classes)]
    assert {type(each) for each in made} <= {Section, str}
    anchors = [each.anchor for each in made if isinstance(each, Section)]
    assert anchors[:3] == ["summary", "flow", "applicability"]
    assert "discrimination" in anchors
    [counted] = [block for block in made[1].blocks if isinstance(block, Table) and block.header[0] == "Outcome"]
    assert [row[0] for row in counted.rows[1:]] == ["A", "B", "C", "Unknown"]

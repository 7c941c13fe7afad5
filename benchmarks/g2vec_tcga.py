"""G2Vec on TCGA-LIHC: patients and genes of the paper's example that are at hand, by cross-validation and on others.

    HEPATICA_DATA=... .venv/bin/python benchmarks/g2vec_tcga.py FOLDER

Writes two cohorts into FOLDER: `example`, the 123 of the 135 example patients whom the table of PORPOISE has, and
`rest`, all its other patients, both with the 1,285 genes of the example's network. Each selection of biomarkers learns
from the training patients of the same folds and is judged by the same classifier; then it is trained on all of
`example` by `hepatica train` and validated on `rest`. Prints every number of docs/studies/choi_2018_g2vec.md.
"""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import load_file
from sklearn.model_selection import StratifiedKFold

from hepatica.cohort import Split, load_cohort
from hepatica.cohort.atomic import read_json
from hepatica.evaluate import auroc_over_folds, compare_auroc, compare_auroc_over_folds
from hepatica.evaluate.survival.cox import cox
from hepatica.evaluate.survival.kaplan_meier import log_rank_p
from hepatica.protocol import Training
from hepatica.runs import train, validate
from hepatica.systems.choi_2018_g2vec import SYSTEM

DATA = Path(os.environ["HEPATICA_DATA"])
NETWORK = DATA / "omics" / "g2vec_ex_NETWORK.txt"
FOLDS, REPEATS = 5, 10

SELECTIONS: dict[str, dict[str, Any]] = {
    "G2Vec": {},
    "G2Vec, other = shortest": {"other": "shortest"},
    "|t|": {"selection": "t"},
    "univariable Cox": {"selection": "cox"},
    "lasso": {"selection": "lasso"},
    "all genes": {"selection": "t", "biomarkers": 10_000},
}


def cohorts(folder: Path) -> tuple[Path, Path]:
    """Write both; expression is sign(z) log2(1 + |z|) of the table's z-scores, whose extremes are beyond 1,000 SD."""
    table = pd.read_csv(DATA / "omics" / "porpoise_tcga_lihc_all_clean.csv.zip").drop_duplicates("case_id")
    table = table.set_index("case_id").rename_axis("patient_id")
    edges = pd.read_csv(NETWORK, sep="\t", keep_default_na=False)
    named = set(edges["src"]) | set(edges["dest"])
    genes = [name for name in table if name.removesuffix("_rnaseq") in named and name.endswith("_rnaseq")]
    z = table[genes].rename(columns=lambda name: name.removesuffix("_rnaseq"))
    values = (np.sign(z) * np.log2(1 + z.abs())).round(4)
    follow_up = table[["survival_months"]].assign(overall_survival_event=1 - table["censorship"].astype(int))
    follow_up = follow_up.rename(columns={"survival_months": "overall_survival_months"})
    example = pd.read_csv(DATA / "omics" / "g2vec_ex_CLINICAL.txt", sep="\t")["PATIENT_BARCODE"]
    of_example = table.index.isin(example)
    for name, own in {"example": of_example, "rest": ~of_example}.items():
        path = folder / name
        path.mkdir(parents=True, exist_ok=True)
        follow_up[own].to_csv(path / "patients.csv")
        values[own].to_csv(path / "expression.csv")
        shutil.copyfile(NETWORK, path / "network.tsv")
        (path / "cohort.toml").write_text(
            f'name = "tcga_lihc_{name}"\nhospital = "TCGA-LIHC"\n\n'
            '[endpoints.overall_survival]\ntime = "overall_survival_months"\nevent = "overall_survival_event"\n\n'
            '[tables.expression]\npath = "expression.csv"\npatient = "patient_id"\nkind = "log2"\n'
        )
    return folder / "example", folder / "rest"


def settings_of(changes: dict[str, Any]) -> Any:
    """The published settings with the network of the example; the folds are the script's."""
    return replace(SYSTEM.settings, network="network.tsv", test=0.0, **changes)


def fold_scores(
    example: Path, changes: dict[str, Any], *, repeat: int
) -> Iterator[tuple[pd.DataFrame, dict[str, Any]]]:
    """Label and score of the held-out patients of each fold, and what training said."""
    cohort = load_cohort(example)
    settings = SYSTEM.completed(cohort, settings_of(changes))
    work = example.parent / "work"
    material, task = SYSTEM.prepare(cohort, settings, work / "prepared"), SYSTEM.tasks(settings)[0]
    label = cohort.label(task.targets[0]).dropna()
    dealt = StratifiedKFold(FOLDS, shuffle=True, random_state=repeat).split(label, label)
    for fold, (own, held) in enumerate(dealt):
        network = SYSTEM.build(settings, pretrained=False)
        split = Split(train=tuple(label.index[own]), validation=(), test=tuple(label.index[held]))
        found = SYSTEM.train(
            Training(network=network, material=material, cohort=cohort, split=split, settings=settings, folder=work,
                     trainer={}, task=task)
        )  # fmt: skip
        score = SYSTEM.read(network, material.select(patient_ids=split.test), settings).specimens
        score = score.set_index("patient_id")["score"]
        yield pd.DataFrame({"label": label[score.index], "score": score, "fold": fold}), found


def cross_validated(example: Path) -> None:
    """Mean AUROC over the folds of each selection; the interval is that of the first way to deal the folds."""
    tables: dict[str, list[pd.DataFrame]] = {}
    for name, changes in SELECTIONS.items():
        begin, said = time.perf_counter(), []
        for repeat in range(REPEATS):
            found = list(fold_scores(example, changes, repeat=repeat))
            said += [each for _, each in found]
            tables.setdefault(name, []).append(pd.concat([table for table, _ in found]))
        means = [auroc_over_folds(each.label, score=each.score, fold=each.fold)[0] for each in tables[name]]
        values = [each.value for each in means]
        first, ours = tables[name][0], tables["G2Vec"][0]
        gap = compare_auroc_over_folds(ours.label, score_a=ours.score, score_b=first.score, fold=ours.fold)
        seconds = (time.perf_counter() - begin) / len(said)
        print(
            f"{name}: AUROC {means[0]}; mean of {REPEATS} deals {np.mean(values):.3f}, {min(values):.3f} to"
            f" {max(values):.3f}; G2Vec less this {gap.difference}, P {gap.p:.2f}; {seconds:.2f} s a fold"
        )
        if name == "G2Vec":
            columns = ["paths", "genes of paths", "epochs", "accuracy on held-out paths", "accuracy on learnt paths"]
            print(pd.DataFrame(said)[columns].describe().loc[["min", "50%", "max"]].round(3).to_string())


def on_the_rest(example: Path, rest: Path) -> None:
    """Trained on all of the example, validated on the other patients; survival of these by module."""
    scores: dict[str, pd.DataFrame] = {}
    for name, changes in SELECTIONS.items():
        run = example.parent / f"run {name.replace('|', '')}"
        locked = train(SYSTEM, example, run=run, settings=settings_of(changes))
        validate(run, rest, out=run / "rest")
        found = {each["metric"]: each for each in read_json(run / "rest" / "metrics.json")}
        one = found["auroc"]
        table = pd.read_parquet(run / "rest" / "predictions.parquet").query("specimen_id.isna()")
        scores[name] = table.set_index("patient_id")
        print(f"{name} on the rest: AUROC {one['value']:.3f} ({one['low']:.3f} to {one['high']:.3f}), n = {one['n']};"
              f" C-index {found['c_index']['value']:.3f}; {read_json(run / 'model.json')['training']}")  # fmt: skip
    cohort = load_cohort(rest)
    label = cohort.label(SYSTEM.targets(locked.settings)[0]).dropna()
    for name in list(SELECTIONS)[1:]:
        pair = [scores[each].loc[label.index, "score"] for each in ("G2Vec", name)]
        gap = compare_auroc(label, score_a=pair[0], score_b=pair[1])
        print(f"G2Vec less {name}, on the rest: {gap.difference}, P {gap.p:.2f}")
    by_module(example.parent / "run G2Vec", load_cohort(example), cohort)


def by_module(run: Path, example: Any, rest: Any) -> None:
    """Hazard ratio for one SD of each module, and the log-rank test at the median of the training patients."""
    modules = {}
    for cohort, folder in ((example, run), (rest, run / "rest")):
        owners = pd.read_parquet(folder / "regions.parquet")["patient_id"]
        signature = load_file(folder / "signatures.safetensors")["signatures"]
        modules[cohort.name] = pd.DataFrame(signature, index=owners, columns=["good", "poor"])
    learnt = modules[example.name]
    for cohort in (example, rest):
        own = modules[cohort.name]
        follow_up = cohort.patients.loc[own.index]
        months, died = follow_up["overall_survival_months"], follow_up["overall_survival_event"] == 1
        for name in own:
            hazard = cox(own[[name]] / learnt[name].std(), time=months, event=died)[name]
            p = log_rank_p(months, event=died, group=own[name] > learnt[name].median())
            print(
                f"module {name}, {cohort.name}, {len(own)} patients, {died.sum()} deaths: HR for 1 SD {hazard.ratio}, P"
                f" {hazard.p:.2g}; log-rank P at the training median {p.value:.2g}"
            )


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    first, others = cohorts(Path(sys.argv[1]))
    cross_validated(first)
    on_the_rest(first, others)

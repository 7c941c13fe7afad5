"""Chaudhary 2018 on phantoms and on TCGA-LIHC: survival by subtype in new patients, beside what chance alone finds.

    python benchmarks/chaudhary_2018.py phantom [--patients 360] [--new 230] [--seed 1] [--nulls 20]
    python benchmarks/chaudhary_2018.py tcga [--folds 5] [--rounds 5] [--permutations 200]

`phantom`: trained on hospital A, validated on B with all tables and with each alone; the oracle knows how aggressive
each tumour is. `--nulls`: further seeds, fixed beforehand, in which survival is permuted among patients.

`tcga`: 329 patients with 1,550 genes (PORPOISE), 365 miRNAs and survival (DeepProg), read from HEPATICA_DATA/omics. No
methylation is at hand. All patients as in the paper, with the permutation null of the whole analysis; then everything
learnt on the other folds, of both tables and of each alone. `--rounds`: ways to deal patients into folds.
"""

import argparse
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hepatica.cohort import Cohort, Split, fold_patients, load_cohort, read_predictions
from hepatica.cohort.atomic import read_json
from hepatica.cohort.phantom import RESECTED
from hepatica.evaluate import Risk, c_index, log_rank_p
from hepatica.omics.room import GENES, complete
from hepatica.protocol import Training, override
from hepatica.runs import train, validate
from hepatica.systems.chaudhary_2018 import SYSTEM, build

TCGA = {"tables": ("expression", "mirna"), "selected": (100, 50)}

HEAD = """name = "tcga_lihc"
[endpoints.overall_survival]
time = "overall_survival_months"
event = "overall_survival_event"
[tables.expression]
path = "expression.parquet"
patient = "patient_id"
kind = "z"
[tables.mirna]
path = "mirna.parquet"
patient = "patient_id"
kind = "tpm"
[tables.mutations]
path = "mutations.parquet"
patient = "patient_id"
kind = "mutation"
"""


def main() -> None:
    """Print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("kind", choices=("phantom", "tcga"))
    numbers = {"patients": 360, "new": 230, "seed": 1, "nulls": 20, "folds": 5, "rounds": 5, "permutations": 200}
    for name, usual in numbers.items():
        arguments.add_argument(f"--{name}", type=int, default=usual)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        (phantom if given.kind == "phantom" else tcga)(Path(name), given)


def phantom(folder: Path, given: argparse.Namespace) -> None:
    """A trained model on new patients, the oracle on them, and models of survival permuted among patients."""
    settings = override(SYSTEM.settings, {"seed": given.seed, "permutations": given.permutations})
    record = run(folder, given, settings)
    for name, value in record.items():
        print(f"{name}: {value}")
    show("external", folder / "out")
    cohort = load_cohort(folder / "B")
    truth = pd.read_csv(folder / "B" / "truth.csv").set_index("patient_id").loc[cohort.patients.index]
    for name in ("aggressiveness", "recurrence_log_hazard"):
        outcome = followed(cohort, cohort.patients.index)
        high = truth[name].to_numpy() >= truth[name].median()
        ranked = c_index(**outcome, score=Risk(truth[name].to_numpy()))
        print(f"oracle, {name}: C-index {ranked}, log-rank P of halves {log_rank_p(**outcome, group=high).value:.2g}")
    for table in settings.tables:
        alone = folder / f"B_{table}"
        shutil.copytree(folder / "B", alone)
        head = (alone / "cohort.toml").read_text()
        for other in set(settings.tables) - {table}:
            head = head.replace(f"[tables.{other}]", f"[tables.{other}_left_out]")
        (alone / "cohort.toml").write_text(head)
        validate(folder / "run", alone, out=folder / f"out_{table}")
        show(f"external, {table} alone", folder / f"out_{table}")
    inside, outside, held = [], [], []
    for seed in range(100, 100 + given.nulls):
        with tempfile.TemporaryDirectory() as name:
            quick = override(SYSTEM.settings, {"seed": seed, "permutations": 1, "resamples": 2})
            record = run(Path(name), given, quick, dealt=seed)
            metrics = metrics_of(Path(name) / "out")
            inside.append(float(record["log-rank P in the training patients (optimistic)"]))
            outside.append(metrics["log_rank_p"]["value"])
            held.append(metrics["c_index"]["low"] <= 0.5 <= metrics["c_index"]["high"])
    print(
        f"survival permuted among patients, {given.nulls} cohorts: P < 0.05 in {np.sum(np.array(inside) < 0.05)} where"
        f" subtypes were found, in {np.sum(np.array(outside) < 0.05)} of new patients; {np.sum(held)} intervals of the"
        " C-index in new patients hold 0.5"
    )


def run(folder: Path, given: argparse.Namespace, settings: Any, *, dealt: int | None = None) -> dict[str, Any]:
    """Train on A, validate on B; what the model says of its training."""
    for name, count in (("A", given.patients), ("B", given.new)):
        path = folder / name
        GENES.phantom(path, patients=count, seed=settings.seed, hospital=name, population=RESECTED)
        if dealt is not None:
            table = pd.read_csv(path / "patients.csv")
            columns = ["overall_survival_months", "overall_survival_event"]
            order = np.random.default_rng(dealt).permutation(len(table))
            table[columns] = table[columns].to_numpy()[order]
            table.astype({columns[1]: int}).to_csv(path / "patients.csv", index=False)
    train(SYSTEM, folder / "A", run=folder / "run", settings=settings)
    validate(folder / "run", folder / "B", out=folder / "out")
    return dict(read_json(folder / "run" / "model.json")["training"])


def metrics_of(out: Path) -> dict[str, Any]:
    """The metrics of the external patients, by name."""
    return {each["metric"]: each for each in read_json(out / "metrics.json") if each["fold"] == "external"}


def show(name: str, out: Path) -> None:
    """One line."""
    found = metrics_of(out)
    groups = read_predictions(out / "predictions.parquet").query("specimen_id.isna()").drop_duplicates("patient_id")
    index = found["c_index"]
    print(
        f"{name}: {groups['group'].value_counts().sort_index().to_dict()}, C-index {index['value']:.3f}"
        f" ({index['low']:.3f} to {index['high']:.3f}), log-rank P {found['log_rank_p']['value']:.2g}, by permutation"
        f" {found['log_rank_permutation_p']['value']:.2g}"
    )


def tcga(folder: Path, given: argparse.Namespace) -> None:
    """All patients as in the paper, then other patients than those learnt from."""
    cohort = write_tcga(folder / "tcga", Path(os.environ["HEPATICA_DATA"]) / "omics")
    print(f"{len(cohort.patients)} patients, {int(cohort.patients['overall_survival_event'].sum())} deaths")
    every = tuple(cohort.patients.index)
    changes = TCGA | {"permutations": given.permutations}
    _, record = learnt(cohort, folder / "all", every, changes)
    for name, value in record.items():
        print(f"{name}: {value}")
    few = {"permutations": 1, "resamples": 2}
    for tables, selected in ((("expression", "mirna"), (100, 50)), (("expression",), (100,)), (("mirna",), (50,))):
        found = []
        for number in range(given.rounds):
            strata, calls = cohort.patients["overall_survival_event"], []
            for fold, (own, held_out) in enumerate(fold_patients(strata, folds=given.folds, seed=number)):
                place = folder / f"{'_'.join(tables)}_{number}_{fold}"
                changes = {"tables": tables, "selected": selected, "seed": number} | few
                calls.append(called(cohort, place, own, changes).loc[list(held_out)].assign(fold=fold))
            found.append(pooled(cohort, pd.concat(calls)))
        index, p, s1 = zip(*found, strict=True)
        print(
            f"{' and '.join(tables)}, held-out folds: C-index {index[0]} in the first of {given.rounds} rounds, median"
            f" {np.median([each.value for each in index]):.3f} [{min(each.value for each in index):.3f} to"
            f" {max(each.value for each in index):.3f}]; log-rank P, S1 against the rest, {p[0]:.2g}, median"
            f" {np.median(p):.2g} [{min(p):.2g} to {max(p):.2g}]; S1 {s1[0]} patients"
        )


def write_tcga(folder: Path, source: Path) -> Cohort:
    """The cohort folder of the patients who have everything."""
    raw = pd.read_csv(source / "porpoise_tcga_lihc_all_clean.csv.zip").drop_duplicates("case_id").set_index("case_id")
    mirna, survival = (
        pd.read_csv(source / f"deepprog_tcga_lihc_{name}", sep="\t", index_col=0)
        for name in ("mir.tsv.gz", "survival.tsv")
    )
    for table in (mirna, survival):
        table.index = table.index.str[:12].str.replace(".", "-")
    ids = pd.Index(sorted(set(raw.index) & set(mirna.index) & set(survival.index)), name="patient_id")
    folder.mkdir()
    (folder / "cohort.toml").write_text(HEAD)
    followed = survival.loc[ids]
    months, event = followed["days"] / 30.4375, followed["event"].astype(int)
    patients = pd.DataFrame({"overall_survival_months": months.round(3), "overall_survival_event": event})
    patients.to_csv(folder / "patients.csv", index_label="patient_id")
    for name, table, suffix in (("expression", raw, "_rnaseq"), ("mutations", raw, "_mut"), ("mirna", mirna, "")):
        own = table.loc[ids, [column for column in table if column.endswith(suffix)]]
        own.columns = own.columns.str.removesuffix(suffix)
        own.rename_axis("patient_id").reset_index().to_parquet(folder / f"{name}.parquet")
    return load_cohort(folder)


def learnt(cohort: Cohort, folder: Path, patients: tuple[str, ...], changes: dict[str, Any]) -> tuple[Any, Any]:
    """A network trained on these patients, and what is said of the training."""
    settings = complete(cohort, override(SYSTEM.settings, changes))
    network = build(settings, pretrained=False)
    training = Training(
        network=network, material=SYSTEM.prepare(cohort, settings, folder / "prepared"), cohort=cohort,
        split=Split(train=patients, validation=(), test=()), settings=settings, folder=folder / "work", trainer={},
        task=SYSTEM.tasks(settings)[0],
    )  # fmt: skip
    record = SYSTEM.train(training)
    found = SYSTEM.read(network, training.material, settings).specimens
    return found.pivot(index="patient_id", columns="class_or_quantity", values="score"), record


def called(cohort: Cohort, folder: Path, patients: tuple[str, ...], changes: dict[str, Any]) -> pd.DataFrame:
    """Expected place (higher: worse) and group of every patient, learnt from these."""
    shares, _ = learnt(cohort, folder, patients, changes)
    place = shares.fillna(0).to_numpy() @ np.linspace(1, 0, shares.shape[1])
    return pd.DataFrame({"place": place, "group": shares.idxmax(axis=1)}, index=shares.index)


def pooled(cohort: Cohort, calls: pd.DataFrame) -> tuple[Any, float, int]:
    """C-index of the rank within the fold, P of S1 against the other subtypes, and how many are S1."""
    outcome = followed(cohort, calls.index)
    rank = calls.groupby("fold")["place"].rank(pct=True).to_numpy()
    first = (calls["group"] == "S1").to_numpy()
    return c_index(**outcome, score=Risk(rank)), log_rank_p(**outcome, group=first).value, int(first.sum())


def followed(cohort: Cohort, ids: pd.Index) -> dict[str, Any]:
    """Months and event of these patients."""
    table = cohort.patients.loc[ids]
    return {
        "time": table["overall_survival_months"].to_numpy(float),
        "event": table["overall_survival_event"].to_numpy(int),
    }


if __name__ == "__main__":
    main()

"""Expression: seconds to load 20,000 genes of 1,000 patients, against a bare pandas.read_csv of the same file.

python benchmarks/expression.py [--genes 20000] [--patients 1000]
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from hepatica.cohort import load_cohort
from hepatica.omics.room import all_features, read_features

HEAD = """name = "x"
[tables.expression]
path = "genes.{ending}"
patient = "patient_id"
kind = "log2"
"""


def main() -> None:
    """Print a line a kind of file: seconds to check the cohort, to read all its values, and of pandas alone."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--genes", type=int, default=20_000)
    arguments.add_argument("--patients", type=int, default=1_000)
    given = arguments.parse_args()
    values = np.random.default_rng(0).normal(8, 2, (given.patients, given.genes)).round(3).astype(np.float32)
    ids = pd.Index([f"P{n}" for n in range(given.patients)], name="patient_id")
    table = pd.DataFrame(values, index=ids, columns=[f"G{n}" for n in range(given.genes)])
    for ending, write, bare in (
        ("csv", pd.DataFrame.to_csv, pd.read_csv),
        ("parquet", lambda each, path: each.reset_index().to_parquet(path), pd.read_parquet),
    ):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "cohort.toml").write_text(HEAD.format(ending=ending))
            pd.DataFrame(index=ids).to_csv(folder / "patients.csv")
            write(table, folder / f"genes.{ending}")
            start = time.perf_counter()
            cohort = load_cohort(folder)
            checked = time.perf_counter() - start
            store, _ = read_features(cohort, features=all_features(cohort, tables=("expression",)))
            took = time.perf_counter() - start
            assert np.allclose(np.sort(store.values, axis=1), np.sort(values, axis=1))
            start = time.perf_counter()
            bare(folder / f"genes.{ending}")
            alone = time.perf_counter() - start
        print(f"{given.genes} genes x {given.patients} patients, {ending}: check {checked:.1f} s, check and read"
              f" {took:.1f} s, pandas {alone:.1f} s")  # fmt: skip


if __name__ == "__main__":
    main()

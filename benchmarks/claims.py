"""Claims: how long a table of codes takes to become sparse matrices of 108 months x 998 codes, and how much memory.

Run: .venv/bin/python benchmarks/claims.py [--patients 1000000] [--claims 20]

The claims are drawn in ICD-9, written as CSV and as parquet a block at a time, and read by `read_claims`; then batches
of 64 patients are made dense. Memory is the highest of the whole process (resident set). Aim: 10^6 patients in at most
4 GB. Not counted is `load_cohort`, which checks hand-made tables cell by cell and is made for smaller ones.
"""

import argparse
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from pyarrow import csv, parquet

from hepatica.clinical.claims import read_claims
from hepatica.cohort import Cohort
from hepatica.cohort.further_table import FurtherTable
from hepatica.systems.phan_2020 import SYSTEM, build

BLOCK = 50_000
"""Patients whose claims are written at once."""
SCHEMA = pa.schema({"patient_id": pa.string(), "months": pa.float64(), "code": pa.string()})


def write(folder: Path, *, patients: int, claims: int) -> None:
    """Draw `claims` a patient on average, in the 108 months before the landmark and the 36 after it."""
    rng = np.random.default_rng(0)
    codes = np.array([f"{number:03d}.{number % 10}" for number in range(1, 1000)])
    with csv.CSVWriter(folder / "claims.csv", SCHEMA) as text, parquet.ParquetWriter(
        folder / "claims.parquet", SCHEMA
    ) as columns:  # fmt: skip
        for first in range(0, patients, BLOCK):
            who = np.repeat(np.arange(first, min(first + BLOCK, patients)), claims)
            months, code = rng.uniform(-108, 36, len(who)).round(2), codes[rng.integers(0, len(codes), len(who))]
            table = pa.table([[f"P{each:07d}" for each in who], months, code], schema=SCHEMA)
            text.write_table(table)
            columns.write_table(table)


def gigabytes() -> float:
    """The most that the process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    """Write, read and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=1_000_000)
    parser.add_argument("--claims", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, patients=options.patients, claims=options.claims)
        print(f"before reading: {gigabytes():.2f} GB, CSV {(folder / 'claims.csv').stat().st_size / 1e6:.0f} MB")
        index = pd.Index([f"P{each:07d}" for each in range(options.patients)], name="patient_id")
        about = {"name": "drawn", "hospital": "drawn", "phantom": True, "notes": "", "digest": "", "specimens": ()}
        table = FurtherTable(name="claims", path=folder / "claims.csv", patient="patient_id", time="months")
        cohort = Cohort(**about, endpoints={}, patients=pd.DataFrame(index=index), tables={"claims": table})
        for path in (folder / "claims.parquet", folder / "claims.csv"):
            begun = time.perf_counter()
            tables = {"claims": replace(table, path=path)}
            store = read_claims(replace(cohort, tables=tables), SYSTEM.settings)
            seconds = time.perf_counter() - begun
            arrays = sum(each.nbytes for each in (store.matrix.data, store.matrix.indices, store.matrix.indptr)) / 1e9
            print(
                f"{path.name}: {len(store):,} patients, {options.patients * options.claims:,} claims, {seconds:.1f} s,"
                f" matrices {arrays:.2f} GB, highest memory {gigabytes():.2f} GB (aim <= 4)"
            )
    begun, batches = time.perf_counter(), 20
    for first in range(batches):
        store.read(np.arange(first * 64, first * 64 + 64))
    print(f"a dense batch of 64: {1e3 * (time.perf_counter() - begun) / batches:.0f} ms, {gigabytes():.2f} GB")
    network, matrices = build(SYSTEM.settings, pretrained=False).eval(), store.read(np.arange(64))
    begun = time.perf_counter()
    with torch.inference_mode():
        shape = tuple(network(torch.from_numpy(matrices)).logits.shape)
    print(f"the whole network on it: {shape}, {time.perf_counter() - begun:.2f} s, {gigabytes():.2f} GB")


if __name__ == "__main__":
    main()

"""Modules: survival above and below the training mean of each named part of the signature."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from hepatica.cohort import Target
from hepatica.evaluate import cox
from hepatica.report.chapters.modules import section
from hepatica.report.page import Gallery, Section, Table

RNG = np.random.default_rng(5)
PATIENTS = pd.Index([f"P{n}" for n in range(60)], name="patient_id")
VALUES = RNG.normal(size=(60, 2)).astype(np.float32)


def run(names: tuple[str, ...]) -> SimpleNamespace:
    time = 30 * RNG.exponential(np.exp(-2 * VALUES[:, 0]))
    outcomes = pd.DataFrame({"time": time, "event": (RNG.random(60) < 0.8).astype(int), "cause": 0}, index=PATIENTS)
    results = SimpleNamespace(
        title="External: x",
        key="internal",
        outcomes=lambda target: outcomes[5:],  # the others are not reported
        regions=lambda: (pd.DataFrame({"patient_id": PATIENTS}), VALUES),
    )
    target = Target(endpoint="overall_survival", task="survival")
    system = SimpleNamespace(signature=names)
    return SimpleNamespace(system=system, cohorts=[results], internal=results, targets=[target], followed=True)


def test_each_module_has_curves_and_a_ratio(tmp_path: Path, sketchbook: Callable[[Path], Gallery]) -> None:
    study = run(("good outcome", "poor outcome"))
    made = section(study, sketchbook(tmp_path))
    assert isinstance(made, Section)
    (table,) = (each for each in made.blocks if isinstance(each, Table))
    rows = [list(row) for row in table.rows]
    assert [row[0] for row in rows[::3]] == ["Module of good outcome", "Module of poor outcome"]
    own = study.internal.outcomes(None)
    term = pd.DataFrame({"x": VALUES[5:, 0] / VALUES[5:, 0].std(ddof=1)}, index=own.index)
    wanted = cox(term, time=own["time"], event=own["event"])["x"]
    assert rows[1][1].startswith(f"{wanted.ratio.value:.3f}")
    assert rows[2][1] == "< 0.001" != rows[5][1]


def test_a_system_without_named_parts_has_no_such_chapter(
    tmp_path: Path, sketchbook: Callable[[Path], Gallery]
) -> None:
    assert section(run(()), sketchbook(tmp_path)) == ""

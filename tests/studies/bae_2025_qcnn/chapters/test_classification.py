from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure as Drawing
from scipy.stats import fisher_exact

from hepatica.cohort import Months, Target
from hepatica.cohort.atomic import read_json
from hepatica.evaluate import auroc
from hepatica.evaluate.binary.binary import AT_A_CUTOFF
from hepatica.report.chapters.small_sample import Calls, calls, control, groups, paint_power, paper_p
from hepatica.report.chapters.small_sample import nuisance as nuisance_of
from hepatica.report.page.blocks import Figure, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run, read_run
from hepatica.report.page.wording import interval
from hepatica.studies.bae_2025_qcnn.chapters import PAPER, classification
from hepatica.studies.bae_2025_qcnn.settings import QUANTIFIER

NUISANCE = ("linewidth_hz", "noise_sd")
nuisance = partial(nuisance_of, columns=NUISANCE)
Sketch = Callable[[Path], Gallery]
HCC = Target(endpoint="hcc", horizon=Months(0))


@pytest.fixture
def blocks(study: Run, tmp_path: Path, sketchbook: Sketch) -> list[object]:
    return list(classification(study, sketchbook(tmp_path)).blocks)


def rows(table: object) -> dict[str, list[str]]:
    assert isinstance(table, Table)
    return {row[0]: [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in row[1:]] for row in table.rows}


@pytest.mark.parametrize(
    ("name", "limits"),
    [("sensitivity", (0.590, 1.000)), ("specificity", (0.555, 0.9975)), ("accuracy", (0.713, 0.9985))],
)
def test_the_papers_counts_have_their_exact_limits(name: str, limits: tuple[float, float]) -> None:
    """7 of 7, 9 of 10 and 16 of 17 (Bae 2025, abstract), Clopper and Pearson."""
    found = AT_A_CUTOFF[name](PAPER)
    assert (found.low, found.high) == pytest.approx(limits, abs=5e-4)


def test_the_paper_stands_beside_what_was_found(study: Run, blocks: list[object]) -> None:
    found = rows(blocks[1])
    assert [found[name][0] for name in ("Sensitivity", "Specificity", "Accuracy")] == [
        "1.000 (0.590 to 1.000)", "0.900 (0.555 to 0.997)", "0.941 (0.713 to 0.999)",
    ]  # fmt: skip
    for place, results in enumerate(study.cohorts, start=1):
        metric = results.metric("accuracy", study.targets[0], cutoff=study.cutoffs[study.targets[0].key])
        assert found["Accuracy"][place].startswith(f"{metric['value']:.3f} (")


def test_the_text_names_the_lower_limits(blocks: list[object]) -> None:
    assert isinstance(blocks[0], Text)
    lows = [AT_A_CUTOFF[name](PAPER).low for name in ("sensitivity", "specificity")]
    assert f"a sensitivity of {lows[0]:.0%} or a specificity of {np.ceil(100 * lows[1]):.0f}%" in blocks[0].text


def test_shuffled_diagnoses_give_fishers_p() -> None:
    exact = fisher_exact([[7, 0], [1, 9]], alternative="greater").pvalue
    assert exact == pytest.approx(4.1e-4, abs=5e-6)
    assert paper_p(PAPER) == pytest.approx(exact, abs=6e-4)  # three standard errors of 10,000 shuffles


def test_controls_are_of_the_same_patients(study: Run, blocks: list[object]) -> None:
    internal, external = rows(blocks[2]), rows(blocks[3])
    assert list(internal) == [
        "cCNN", "Discriminant of the qCNN's concentrations", "Discriminant of linewidth and noise",
    ]  # fmt: skip
    assert list(external) == list(internal)[:2]
    other = read_run(study.folder / QUANTIFIER, external=[]).internal
    own, theirs = (each.outcomes(study.targets[0])["label"] for each in (study.internal, other))
    pd.testing.assert_series_equal(own.sort_index(), theirs.sort_index())
    score = other.outcomes(study.targets[0]).loc[own.index, "score"]
    told = internal["Discriminant of the qCNN's concentrations"]
    assert told[0] == interval(auroc(own, score=score).as_dict()).replace("\N{NO-BREAK SPACE}", " ")
    right = (score >= read_json(study.folder / QUANTIFIER / "cutoffs.json")[study.targets[0].key]) == own
    assert told[3].startswith(f"{right.mean():.3f} (")


def test_a_control_is_called_at_its_own_cutoff() -> None:
    own = Calls(label=np.repeat([1, 0], [7, 10]), score=np.repeat([0.4, 0.2, 0.4, 0.2], [7, 0, 1, 9]), cutoff=0.3)
    told = [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in control(own)]
    assert told[1:4] == ["1.000 (0.590 to 1.000)", "0.900 (0.555 to 0.997)", "0.941 (0.713 to 0.999)"]
    assert told[4] == "< 0.001"


class Measured:
    """Results of twelve patients, half of them for training; linewidths tell the group."""

    fold = "test"

    def __init__(self, folder: Path, **changed: list[float]) -> None:
        self.folder = folder
        self.label = np.tile([0.0, 1.0], 6)
        rng = np.random.default_rng(0)
        table = {"linewidth_hz": 15 + 10 * self.label + rng.random(12), "noise_sd": rng.uniform(50, 60, 12)}
        names = [f"P{n}" for n in range(12)]
        pd.DataFrame({"patient_id": names} | table | changed).to_parquet(folder / "regions.parquet")
        self.names = pd.Index(names, name="patient_id")

    def outcomes(self, target: Target, *, fold: str | None = None) -> pd.DataFrame:
        half = slice(0, 6) if fold == "train" else slice(6, 12)
        return pd.DataFrame({"label": self.label[half], "score": 0.5}, index=self.names[half])


def test_groups_measured_unlike_each_other_are_found_out(tmp_path: Path) -> None:
    found = nuisance(Measured(tmp_path), HCC)
    assert found is not None
    assert (found.label.size, found.cutoff) == (6, 0.5)
    assert ((found.score >= 0.5) == found.label).all()


def test_groups_measured_alike_are_not(tmp_path: Path) -> None:
    alike = {name: np.repeat([20.0, 21, 22, 20, 21, 22], 2).tolist() for name in NUISANCE}
    found = nuisance(Measured(tmp_path, **alike), HCC)
    assert found is not None
    np.testing.assert_allclose(found.score, 0.5)


def test_a_linewidth_that_was_not_measured_leaves_its_patient_out(tmp_path: Path) -> None:
    widths = Measured(tmp_path)
    table = pd.read_parquet(tmp_path / "regions.parquet")
    table.loc[[1, 8], "linewidth_hz"] = np.nan
    table.to_parquet(tmp_path / "regions.parquet")
    found = nuisance(widths, HCC)
    assert found is not None
    assert found.label.tolist() == [0, 1, 1, 0, 1]
    assert np.isfinite(found.score).all()


def test_too_few_to_fit_is_nothing(tmp_path: Path) -> None:
    results = Measured(tmp_path)
    results.label = np.zeros(12)
    assert nuisance(results, HCC) is None


def test_patients_of_one_kind_are_not_called() -> None:
    def of(label: list[float]) -> SimpleNamespace:
        return SimpleNamespace(outcomes=lambda target: pd.DataFrame({"label": label, "score": 0.7, "group": "high"}))

    assert calls(of([1.0, 1.0, np.nan]), HCC, cutoff=0.5) is None
    found = calls(of([1.0, 0.0, np.nan]), HCC, cutoff=0.5)
    assert found is not None
    assert found.label.tolist() == [1, 0]


def test_power_is_of_the_papers_patients_and_of_each_cohort(study: Run, blocks: list[object]) -> None:
    found = groups(study, study.targets[0], PAPER)
    assert found.pop("paper") == (7, 10)
    assert {name: sum(counts) for name, counts in found.items()} == {
        each.title: len(each.outcomes(study.targets[0])) for each in study.cohorts
    }
    figure = Drawing()
    paint_power(figure, groups={"paper": (7, 10)})
    curve = figure.axes[0].lines[0].get_ydata()
    assert curve[0] < 0.05  # no effect is found by chance alone
    assert np.all(np.diff(curve) >= 0)
    assert curve[-1] > 0.95
    assert isinstance(blocks[-1], Figure)

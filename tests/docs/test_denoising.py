import importlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import torch

STUDIES = Path(__file__).parents[2] / "docs" / "studies"


@pytest.fixture(scope="module", autouse=True)
def _studies_importable() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(STUDIES))
        yield


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    return importlib.import_module("denoising")


@pytest.fixture(scope="module")
def summary() -> ModuleType:
    return importlib.import_module("denoising_summary")


@pytest.fixture(autouse=True)
def _threads_as_before() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_runs_end_to_end_and_goes_on_where_it_was(maker: ModuleType, tmp_path: Path) -> None:
    cells, found = tmp_path / "cells", tmp_path / "found"
    words = ["--seeds", "2", "--noises", "0.3", "--patients", "30", "--test-patients", "40", "--out", str(cells)]
    maker.main([*words, "--steps", "2", "--report", str(found)])
    written = {path: path.stat().st_mtime_ns for path in cells.iterdir() if path.suffix == ".csv"}
    assert sorted(path.name for path in written) == ["000_0.3_30.csv", "001_0.3_30.csv"]
    table = pd.read_csv(found / "denoising.csv", dtype={"ratio": str})
    assert list(table.ratio[table.pace == "steps"]) == ["1/4", "1/3", "1/2", "2/3", "3/4", "1"]
    assert list(table.ratio[table.pace == "long"]) == ["1/2", "1"]
    assert (table.seeds == 2).all()
    assert table.true_24.between(0, 1).all()
    assert (found / "denoising.png").stat().st_size > 10_000
    maker.main([*words, "--steps", "2", "--report", str(found)])
    assert written == {path: path.stat().st_mtime_ns for path in written}
    with pytest.raises(SystemExit, match="another plan"):
        maker.main([*words, "--steps", "3", "--report", str(found)])


def test_noise_changes_records_of_recurrence_and_nothing_else(maker: ModuleType) -> None:
    clean, noisy = (maker.follow(7, noise=noise, patients=300) for noise in (0.0, 0.6))
    same = ["aggressiveness", "overall_survival_months", "overall_survival_event", "true_24", "treatment"]
    pd.testing.assert_frame_equal(clean[same], noisy[same])
    assert (clean.recurrence_event == clean.true_final).all()
    wrong = noisy.recurrence_event != noisy.true_final
    assert not wrong[noisy.corrupted == 0].any()
    assert 0.3 < wrong[noisy.corrupted == 1].mean() < 0.7


def test_random_subset_is_as_large_as_the_denoised_one(maker: ModuleType) -> None:
    table = maker.follow(3, noise=0.3, patients=100)
    denoised = maker.chosen(table, maker.Choice(ratio=Fraction(1, 3)), seed=3)
    random = maker.chosen(table, maker.Choice(ratio=Fraction(1, 3), selection="random"), seed=3)
    assert set(random) != set(denoised)
    assert random.is_unique
    counts = [table.recurrence_event[ids].value_counts().to_dict() for ids in (denoised, random)]
    assert counts[0] == counts[1]
    assert list(maker.chosen(table, maker.Choice(ratio=maker.RAW), seed=3)) == list(table.index)


def test_alternatives_are_tried_at_one_setting(maker: ModuleType) -> None:
    plan = maker.Plan()
    assert len(list(maker.choices(plan, noise=0.3, patients=60))) == 6
    assert len(list(maker.choices(plan, noise=0.0, patients=120))) == 8
    assert len(list(maker.choices(plan, noise=0.6, patients=240))) == 8
    tried = list(maker.choices(plan, noise=0.3, patients=120))
    assert {choice.selection for choice in tried} == {"printed", "censoring_aware", "random"}
    assert {choice.pace for choice in tried} == {"steps", "epochs", "long"}


def test_one_seed_gives_one_network_and_tiles_are_averaged(maker: ModuleType) -> None:
    tiles = torch.randint(256, (6, 4, 64, 64, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    label = torch.tensor([0, 1, 0, 1, 0, 1])
    first, again = (maker.read(maker.train(tiles, label, steps=2, seed=5), tiles) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    learner = maker.train(tiles, label, steps=2, seed=5)
    single = [maker.read(learner, tiles[:, tile : tile + 1]) for tile in range(4)]
    np.testing.assert_allclose(first, np.mean(single, axis=0), rtol=1e-5)


def test_interval_is_students(summary: ModuleType) -> None:
    # mean 2, standard deviation 1, t(0.975, 2) = 4.302653: margin 4.302653 / sqrt(3)
    assert summary.interval(pd.Series([1.0, 2.0, 3.0])) == pytest.approx((2.0, -0.484138, 4.484138), abs=1e-6)
    assert np.isnan(summary.interval(pd.Series([1.0]))[1])


def _cells() -> pd.DataFrame:
    """Two seeds; the raw network and one on half the patients, with the numbers that matter written out."""
    shared = {"noise": 0.3, "patients": 60, "selection": "printed", "pace": "steps", "spearman": 0.5}
    shared |= {f"denoised_test_{ratio}": 0.5 for ratio in ("1/4", "1/3", "2/3", "3/4")}
    rows = [
        {"seed": 0, "ratio": "1/2", "true_24": 0.80, "recorded": 0.70, "true_final": 0.75, "denoised_test_1/2": 0.90},
        {"seed": 0, "ratio": "1", "true_24": 0.70, "recorded": 0.65, "true_final": 0.72, "denoised_test_1/2": 0.85},
        {"seed": 1, "ratio": "1/2", "true_24": 0.60, "recorded": 0.60, "true_final": 0.65, "denoised_test_1/2": 0.80},
        {"seed": 1, "ratio": "1", "true_24": 0.66, "recorded": 0.62, "true_final": 0.68, "denoised_test_1/2": 0.82},
    ]
    kept = {"1/2": {"kept": 30, "wrong_labels": 0.1}, "1": {"kept": 60, "wrong_labels": 0.2}}
    return pd.DataFrame([{**shared, **row, **kept[str(row["ratio"])]} for row in rows])


def test_gain_is_paired_with_the_raw_labels_of_the_same_seed(summary: ModuleType) -> None:
    half = summary.paired(_cells()).query("ratio == '1/2'").set_index("seed")
    assert half.gain.tolist() == pytest.approx([0.10, -0.06])
    assert half.gain_recorded.tolist() == pytest.approx([0.05, -0.02])
    assert half.raw_on_denoised_test.tolist() == pytest.approx([0.85, 0.82])
    assert half.optimism.tolist() == pytest.approx([0.20, 0.20])  # denoised test less all test patients, recorded
    assert half.excess.tolist() == pytest.approx([0.15, 0.15])  # less all test patients, true


def test_long_training_is_paired_with_long_training(summary: ModuleType) -> None:
    long = _cells().assign(pace="long")
    long["true_24"] += np.where(long.ratio == "1", 0.05, 0.0)
    both = summary.paired(pd.concat([_cells(), long])).query("ratio == '1/2' and seed == 0").set_index("pace")
    assert both.gain["steps"] == pytest.approx(0.10)
    assert both.gain["long"] == pytest.approx(0.05)
    assert both.over_printed["long"] == both.over_printed["steps"] == 0  # as good as the usual training, at 0.80


def test_summary_counts_seeds_and_raw_gains_nothing(summary: ModuleType) -> None:
    found = summary.summarise(_cells()).set_index("ratio")
    assert found.seeds.tolist() == [2, 2]
    assert found.better_seeds.to_dict() == {"1/2": 1, "1": 0}
    assert found.kept.to_dict() == {"1/2": 30, "1": 60}
    assert found.gain["1/2"] == pytest.approx(0.02)
    # standard deviation 0.16 / sqrt(2), t(0.975, 1) = 12.7062: margin 12.7062 x 0.08
    assert found.gain_high["1/2"] == pytest.approx(0.02 + 1.016496, abs=1e-5)
    assert (found.loc["1", ["gain", "gain_low", "gain_high"]] == 0).all()


def test_other_tables_hold_the_choices_beside_the_grid(summary: ModuleType) -> None:
    found = summary.summarise(pd.concat([_cells(), _cells().assign(pace="long")]))
    assert summary.optimism_table(found).count("\n| 0.3 |") == 2
    assert "| 1/2 | 0.850 (" in summary.optimism_table(found).replace("| 0.3 ", "")
    checks = summary.check_table(found).splitlines()[2:]
    assert len(checks) == 1
    assert checks[0].startswith("| 0.3 | 60 | 1/2 | printed, long | 10.0 % | 0.700 | +2.0 (")


def test_table_prints_hundredths_and_marks_intervals_clear_of_zero(summary: ModuleType) -> None:
    rows = summary.summarise(_cells()).set_index("ratio")
    rows = rows.loc[["1/2"] * 5 + ["1"]].assign(ratio=summary.SUBSETS)
    rows.loc[rows.ratio == "1/4", ["gain", "gain_low", "gain_high"]] = (0.03, 0.01, 0.05)
    printed = summary.gain_table(rows.reset_index(drop=True)).splitlines()
    assert len(printed) == 3
    assert printed[2].startswith("| 0.3 | 60 | 0.680 | **+3.0 (+1.0 to +5.0)** | +2.0 (-99.6 to +103.6) |")

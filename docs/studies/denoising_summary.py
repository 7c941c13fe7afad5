"""Denoising summary: means over seeds with 95 % intervals, paired with the raw labels of the same seed, and the figure.

Used by denoising.py; one row of its cells is one network: whom it was trained on, its AUROC against truth and record.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from hepatica.cohort.atomic import replacing
from hepatica.cohort.confidence import RATIOS
from hepatica.report.page.style import QUIET, RC, SERIES, stamp_phantom

SUBSETS = tuple(str(ratio) for ratio in RATIOS)
SETTING = ["noise", "patients"]
CHOICE = ["selection", "pace", "ratio"]

MEASURES = (
    "true_24", "gain", "spearman", "true_final", "recorded", "gain_recorded", "denoised_test", "raw_on_denoised_test",
    "optimism", "excess", "over_printed",
)  # fmt: skip
"""Columns that get an interval: see `paired` for those that are not in the cells."""


def report(cells: Path, folder: Path, *, seeds: int) -> None:
    """Write denoising.csv and denoising.png into `folder` from the cells of the first `seeds` seeds."""
    files = [path for path in sorted(cells.glob("*_*_*.csv")) if int(path.name.split("_")[0]) < seeds]
    summary = summarise(pd.concat([pd.read_csv(path, dtype={"ratio": str}) for path in files]))
    with replacing(folder / "denoising.csv") as temporary:
        summary.to_csv(temporary, index=False, float_format="%.4f", lineterminator="\n")
    draw(summary, folder / "denoising.png")
    print(gain_table(summary), optimism_table(summary), check_table(summary), sep="\n\n")


def paired(rows: pd.DataFrame) -> pd.DataFrame:
    """Beside each network, the one trained on raw labels for the same seed, setting and length of training.

    `gain`, `gain_recorded`: AUROC against the truth at 24 months, and against the record, less that of the raw network.
    `denoised_test`, `raw_on_denoised_test`: AUROC of both on the test patients denoised at the network's own ratio.
    `optimism`, `excess`: `denoised_test` less the same network's AUROC on all test patients, recorded and true.
    `over_printed`: true AUROC less that of the printed rule at the same ratio and the usual number of steps.
    """
    rows = rows.assign(against=np.where(rows.pace == "long", "long", "steps"), **{"denoised_test_1": rows.recorded})
    raw = rows[(rows.ratio == "1") & (rows.selection == "printed")].drop(columns=[*CHOICE, "kept", "wrong_labels"])
    both = rows.merge(raw, on=["seed", *SETTING, "against"], suffixes=("", "_raw"), validate="many_to_one")
    usual = rows[(rows.selection == "printed") & (rows.pace == "steps")][["seed", *SETTING, "ratio", "true_24"]]
    both = both.merge(usual, on=["seed", *SETTING, "ratio"], suffixes=("", "_printed"), how="left")
    own = [f"denoised_test_{ratio}" for ratio in both.ratio]
    denoised = np.array([both[column].iloc[row] for row, column in enumerate(own)])
    return both.assign(
        gain=both.true_24 - both.true_24_raw,
        gain_recorded=both.recorded - both.recorded_raw,
        denoised_test=denoised,
        raw_on_denoised_test=[both[f"{column}_raw"].iloc[row] for row, column in enumerate(own)],
        optimism=denoised - both.recorded,
        excess=denoised - both.true_final,
        over_printed=both.true_24 - both.true_24_printed,
    )


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a setting and choice: seeds, patients kept, share of wrong labels, and each measure with its interval."""
    groups = paired(rows).groupby([*SETTING, *CHOICE], sort=False)
    found = groups.agg(seeds=("seed", "nunique"), kept=("kept", "mean"), wrong_labels=("wrong_labels", "mean"))
    found["better_seeds"] = groups.gain.agg(lambda gain: int((gain > 0).sum()))
    for name in MEASURES:
        limits = groups[name].agg(interval)
        found[[name, f"{name}_low", f"{name}_high"]] = pd.DataFrame(limits.tolist(), index=limits.index)
    return found.reset_index().sort_values(SETTING, kind="stable")


def interval(values: pd.Series) -> tuple[float, float, float]:
    """Mean and the limits of its 95 % interval by Student's t; seeds are the independent units."""
    mean, count = float(values.mean()), len(values)
    margin = float(stats.t.ppf(0.975, count - 1) * values.std(ddof=1) / np.sqrt(count)) if count > 1 else float("nan")
    return mean, mean - margin, mean + margin


def gain_table(summary: pd.DataFrame) -> str:
    """Markdown: the gain over raw labels, in hundredths of AUROC, for every setting and subset of the main grid."""
    grid = summary[(summary.selection == "printed") & (summary.pace == "steps")]
    lines = [f"| corrupted | patients | raw AUROC | {' | '.join(SUBSETS[:-1])} |", "|---" * (2 + len(SUBSETS)) + "|"]
    for (noise, patients), rows in grid.groupby(SETTING):
        row = rows.set_index("ratio")
        gains = [_hundredths(row.loc[ratio]) for ratio in SUBSETS[:-1]]
        lines.append(f"| {noise:g} | {patients} | {row.true_24['1']:.3f} | {' | '.join(gains)} |")
    return "\n".join(lines)


def optimism_table(summary: pd.DataFrame) -> str:
    """Markdown: where one tests, for networks of denoised and of raw labels, at the sample size of the checks."""
    measures = ("denoised_test", "raw_on_denoised_test", "recorded", "true_final", "excess")
    lines = [f"| corrupted | kept | {' | '.join(measures)} |", "|---" * (2 + len(measures)) + "|"]
    grid = summary[(summary.selection == "printed") & (summary.pace == "steps")]
    for _, row in grid[grid.patients == _checked(summary)["patients"]].iterrows():
        shown = [f"{row[name]:.3f} ({row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f})" for name in measures]
        lines.append(f"| {row.noise:g} | {row.ratio} | {' | '.join(shown)} |")
    return "\n".join(lines)


def check_table(summary: pd.DataFrame) -> str:
    """Markdown: gain of every choice that is not in the main grid, over raw labels and over the printed rule."""
    lines = ["| corrupted | patients | kept | choice | wrong labels | AUROC | gain | over printed |", "|---" * 8 + "|"]
    checks = summary[((summary.selection != "printed") | (summary.pace != "steps")) & (summary.ratio != "1")]
    for _, row in checks.sort_values([*SETTING, "selection", "pace"], kind="stable").iterrows():
        place = f"| {row.noise:g} | {row.patients} | {row.ratio} | {row.selection}, {row.pace}"
        over = _hundredths(row, measure="over_printed")
        lines.append(f"{place} | {100 * row.wrong_labels:.1f} % | {row.true_24:.3f} | {_hundredths(row)} | {over} |")
    return "\n".join(lines)


def _hundredths(row: pd.Series, *, measure: str = "gain") -> str:
    value, low, high = (100 * row[name] for name in (measure, f"{measure}_low", f"{measure}_high"))
    text = f"{value:+.1f} ({low:+.1f} to {high:+.1f})"
    return f"**{text}**" if low > 0 or high < 0 else text


def draw(summary: pd.DataFrame, path: Path) -> None:
    """Above: gain by subset, one panel a sample size. Below: optimism without and with noise, and the checks."""
    grid = summary[(summary.selection == "printed") & (summary.pace == "steps")]
    sizes, middle = sorted(grid.patients.unique()), _checked(summary)
    with plt.rc_context(RC):
        columns = max(3, len(sizes))
        figure, panels = plt.subplots(2, columns, figsize=(4.2 * columns, 7.6), layout="constrained", squeeze=False)
        for axes, patients in zip(panels[0], sizes, strict=False):
            _gains(axes, grid[grid.patients == patients])
            axes.set_title(f"{patients} training patients")
        for axes, noise in zip(panels[1], (grid.noise.min(), grid.noise.max()), strict=False):
            _optimism(axes, grid[(grid.patients == middle["patients"]) & (grid.noise == noise)])
            axes.set_title(f"Where one tests: {100 * noise:g} % corrupted, {middle['patients']} patients")
        _checks(panels[1][2], summary[(summary[SETTING] == pd.Series(middle)).all(axis=1)])
        panels[1][2].set_title(f"Other choices: {100 * middle['noise']:g} %, {middle['patients']} patients")
        panels[0][0].legend(loc="upper left")
        panels[1][0].legend(loc="lower left")
        _level(panels[0])
        _level(panels[1][:2])
        stamp_phantom(figure)
        with replacing(path) as temporary:
            figure.savefig(temporary, dpi=90)
        plt.close(figure)


def _checked(summary: pd.DataFrame) -> dict[str, float]:
    """The setting at which the alternatives were tried; without any, the last."""
    tried = summary[summary.selection != "printed"]
    row = (tried if len(tried) else summary).iloc[-1]
    return {"noise": row.noise, "patients": row.patients}


def _curve(axes: Axes, rows: pd.DataFrame, measure: str, *, colour: str, label: str, shift: float, mark: str) -> None:
    rows = rows.set_index("ratio").reindex([each for each in SUBSETS if each in set(rows.ratio)])
    place = np.array([SUBSETS.index(ratio) for ratio in rows.index]) + shift
    reach = rows[measure] - rows[f"{measure}_low"]
    axes.errorbar(place, rows[measure], yerr=reach, color=colour, label=label, marker=mark, ms=4.5, lw=1.4, capsize=2)


def _subsets(axes: Axes, ylabel: str) -> None:
    axes.set(xlabel="Share of each class kept", ylabel=ylabel, xlim=(-0.4, len(SUBSETS) - 0.6))
    axes.set_xticks(range(len(SUBSETS)), labels=[*SUBSETS[:-1], "all"])


def _gains(axes: Axes, rows: pd.DataFrame) -> None:
    noises = sorted(rows.noise.unique())
    for number, noise in enumerate(noises):
        shift = 0.12 * (number - (len(noises) - 1) / 2)
        each = rows[rows.noise == noise]
        _curve(
            axes,
            each,
            "gain",
            colour=SERIES[number],
            label=f"{100 * noise:g} % corrupted",
            shift=shift,
            mark="osD^"[number],
        )
    axes.axhline(0, color=QUIET, lw=0.8)
    _subsets(axes, "Gain in true AUROC over raw labels")


def _optimism(axes: Axes, rows: pd.DataFrame) -> None:
    for number, (measure, label) in enumerate(
        (
            ("denoised_test", "denoised test patients, recorded"),
            ("raw_on_denoised_test", "the same, network of raw labels"),
            ("recorded", "all test patients, recorded"),
            ("true_final", "all test patients, truth"),
        )
    ):
        _curve(
            axes, rows, measure, colour=SERIES[number], label=label, shift=0.08 * (number - 1.5), mark="osD^"[number]
        )
    _subsets(axes, "AUROC")


def _checks(axes: Axes, rows: pd.DataFrame) -> None:
    kinds = (
        ("printed", "steps", "as printed"),
        ("censoring_aware", "steps", "censoring-aware"),
        ("random", "steps", "as many at random"),
        ("printed", "epochs", "as many epochs"),
        ("printed", "long", "long training"),
    )
    for number, (selection, pace, label) in enumerate(kinds):
        each = rows[(rows.selection == selection) & (rows.pace == pace) & (rows.ratio != "1")]
        shift, mark = 0.1 * (number - 2), "osD^v"[number]
        _curve(axes, each, "gain", colour=SERIES[number], label=label, shift=shift, mark=mark)
    axes.axhline(0, color=QUIET, lw=0.8)
    axes.legend()
    _subsets(axes, "Gain in true AUROC over raw labels")


def _level(panels: np.ndarray) -> None:
    """One scale for panels that are compared."""
    limits = np.array([axes.get_ylim() for axes in panels])
    for axes in panels:
        axes.set_ylim(limits[:, 0].min(), limits[:, 1].max())

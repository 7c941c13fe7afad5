"""Decision curve: net benefit of treating patients above each threshold, beside treating all and none."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import EvaluationError
from hepatica.evaluate import net_benefit
from hepatica.report.page.style import HIGH, INK, QUIET, say

THRESHOLDS = np.linspace(0.02, 0.98, 49)


def paint(figure: Drawing, *, known: pd.DataFrame, title: str) -> None:
    """Draw the curves of patients whose label is known (columns label and score, a probability)."""
    axes = figure.subplots()
    axes.set_title(title)
    label = known["label"].to_numpy()
    drawn = {"Score": (known["score"].to_numpy(), HIGH, "-"), "All treated": (np.ones(len(known)), INK, "--")}
    try:
        for name, (score, colour, style) in drawn.items():
            found = [net_benefit(label, score=score, threshold=float(each)).value for each in THRESHOLDS]
            axes.plot(THRESHOLDS, found, style, color=colour, label=name)
    except EvaluationError:
        say(axes, "All patients have the same outcome:\nbenefit cannot be judged.")
        return
    axes.axhline(0, color=QUIET, linewidth=0.8, label="Nobody treated")
    share = float(label.mean())
    axes.set(xlabel="Threshold probability", ylabel="Net benefit", xlim=(0, 1), ylim=(-0.15 * share, 1.1 * share))
    axes.legend()

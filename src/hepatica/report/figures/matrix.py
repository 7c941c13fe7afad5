"""Matrix: a confusion matrix, the truth in rows and the call in columns; shade is the share of the row."""

from collections.abc import Sequence
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes

from hepatica.report.page.style import INK

WORDS = 14
"""Letters of a line of a label, which must not reach into the next."""


def matrix(axes: Axes, counts: np.ndarray, *, truth: Sequence[str], called: Sequence[str], title: str) -> None:
    """Draw counts (k, k) of rows that are `truth` and were called `called`."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.25, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if shares[row, column] > 0.7 else INK
        axes.text(column, row, f"{count:,}", ha="center", va="center", fontsize=11, color=colour)
    axes.set_title(title, fontsize=8.5, fontweight="normal")
    axes.set_xticks(range(len(called)), labels=[fill(f"called {name}", WORDS) for name in called])
    axes.set_yticks(range(len(truth)), labels=[fill(name, WORDS) for name in truth])
    axes.tick_params(length=0, labelsize=7.5)
    axes.spines[:].set_visible(False)

"""Printed figure: a number as a paper prints it, with all it may have been before rounding."""

import re
from dataclasses import dataclass

from hepatica.cohort.errors import EvaluationError

NUMBER = r"(-?\d*\.?\d+) ?%?"
FIGURE = re.compile(rf"{NUMBER} ?(?:[(\[]{NUMBER} ?(?:-|,|;|to) ?{NUMBER}[)\]])?")
DASHES = {0x2013: "-", 0x2014: "-", 0x2212: "-", 0xB7: "."}
"""En dash, em dash and minus sign, and the decimal point of British journals."""

SLACK = 1e-9
"""Room for the rounding of computers: halves may have been rounded up or down, both are allowed."""


@dataclass(frozen=True, kw_only=True)
class Printed:
    """A value, its interval where one is printed, and half of the last digit: what lies within rounds to it."""

    value: float
    half: float
    low: float | None = None
    high: float | None = None

    @property
    def outside_its_interval(self) -> bool:
        """Whether the value cannot be that of its own interval."""
        if self.low is None or self.high is None:
            return False
        return not self.low - 2 * self.half - SLACK <= self.value <= self.high + 2 * self.half + SLACK


def read_printed(text: str) -> Printed:
    """Read a cell such as 0.927 (0.686-0.907), 92.7% (68.6 to 90.7) or 0.63; percentages are turned into shares.

    Digits matter: 0.50 may be anything from 0.495 to 0.505, 0.5 from 0.45 to 0.55. The coarsest of value and limits
    counts for all three. Raises EvaluationError on anything else.
    """
    found = FIGURE.fullmatch(" ".join(text.translate(DASHES).split()))
    if found is None:
        raise EvaluationError(f"got {text!r}, wanted a number as printed, such as 0.927 (0.686-0.907) or 92.7%")
    words = [word for word in found.groups() if word]
    scale = 100 if "%" in text else 1
    half = 0.5 / scale * 10.0 ** -min(len(word.partition(".")[2]) for word in words)
    value, *limits = (float(word) / scale for word in words)
    low, high = limits or (None, None)
    return Printed(value=value, half=half, low=low, high=high)

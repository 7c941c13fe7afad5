"""Recurrent: a history of visits, irregular and with gaps, to a score: a GRU, its maximum over time, the baseline."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hepatica.networks.heads import Reading, perceptron
from hepatica.networks.tabular import Standardise


class Series(nn.Module):
    """(b, v, 1 + d) visits to (b, v, 2 d + 1) numbers and which visits there are (b, v).

    Column 0 is the month of each visit, NaN where there is none; the others are what was measured, NaN where nothing
    was. What was not measured is carried forward; before the first measurement it is the mean of the training patients'
    first ones. Then follow 1 where it was measured, and the years since the visit before. Values enter as
    sign(x) log(1 + |x|), less the mean and over the SD of the training patients; both are buffers, locked with the
    weights.
    """

    mean: Tensor
    sd: Tensor

    def __init__(self, variables: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(variables))
        self.register_buffer("sd", torch.ones(variables))

    def fit(self, first: NDArray[np.float32], *, values: NDArray[np.float32]) -> None:
        """Take the mean of first values (patients, d) and the SD of all (visits, d), NaN where nothing was measured.

        Without a value the mean is 0; where all are alike, the SD is 1.
        """
        mean, _ = _moments(first)
        _, sd = _moments(values)
        self.mean.copy_(mean)
        self.sd.copy_(torch.where(sd > 0, sd, 1.0))

    def forward(self, visits: Tensor) -> tuple[Tensor, Tensor]:
        """Fill, standardise and mark a batch."""
        months, values = visits[..., 0], visits[..., 1:]
        there = months.isfinite()
        measured = values.isfinite() & there[..., None]
        scaled = ((_compressed(values) - self.mean) / self.sd).masked_fill(~measured, 0.0)
        place = torch.arange(values.shape[1], device=values.device)[:, None]
        last = torch.where(measured, place, -1).cummax(dim=1).values
        carried = scaled.gather(1, last.clamp(min=0)).masked_fill(last < 0, 0.0)
        years = torch.diff(months, dim=1, prepend=months[:, :1]).nan_to_num(0.0) / 12
        return torch.cat([carried, measured.float(), years[..., None]], dim=2), there


def _compressed(values: Tensor) -> Tensor:
    return values.sign() * values.abs().log1p()


def _moments(values: NDArray[np.float32]) -> tuple[Tensor, Tensor]:
    found = _compressed(torch.from_numpy(values))
    known = found.isfinite()
    count = known.sum(dim=0).clamp(min=1)
    mean = found.nan_to_num(0.0).sum(dim=0) / count
    squares = ((found - mean) ** 2).masked_fill(~known, 0.0).sum(dim=0)
    return mean, (squares / count).sqrt()


class Recurrent(nn.Module):
    """(b, v, 1 + variables + baseline) histories, as `Series` reads them, to (b, outputs).

    The last columns are values of the patient, which each visit repeats. The signature is the maximum of the GRU's
    states over the visits, beside `hidden` numbers made of the baseline.
    """

    def __init__(self, variables: int, *, baseline: int, hidden: int, dropout: float, outputs: int = 1) -> None:
        super().__init__()
        self.variables = variables
        self.series = Series(variables)
        self.gru = nn.GRU(2 * variables + 1, hidden, batch_first=True)
        self.baseline = nn.Sequential(Standardise(baseline), nn.Linear(2 * baseline, hidden), nn.ReLU())
        self.body = perceptron((2 * hidden, hidden, outputs), dropout=dropout)

    def forward(self, visits: Tensor) -> Reading:
        """Score a batch."""
        cells, there = self.series(visits[..., : 1 + self.variables])
        states = masked_maximum(self.gru(cells)[0], there)
        signature = torch.cat([states, self.baseline(visits[:, 0, 1 + self.variables :])], dim=1)
        return Reading(self.body(signature), signature)


def masked_maximum(states: Tensor, there: Tensor) -> Tensor:
    """Largest of the states (b, v, h) over the visits that are there (b, v): (b, h)."""
    return states.masked_fill(~there[..., None], -torch.inf).amax(dim=1)

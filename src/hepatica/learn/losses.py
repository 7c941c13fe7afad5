"""Losses: what a training makes small."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, one_hot

from hepatica.cohort.errors import SettingsError

Loss = Callable[[Tensor, Tensor], Tensor]
"""Logits (b, classes) and labels (b,), or estimates and targets (b, …), to one number."""

SUREST, LEAST_SURE = -16.0, 6.0
"""Log variances between which an estimate's is held, of targets of a spread near 1: a first guess must not explode."""


def cross_entropy_of_probabilities(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy that is given probabilities for logits, so that a second softmax holds it above zero.

    A mistake made often enough to be worth a name: with two classes it lies between log(1 + 1/e) = 0.313 and
    log(1 + e) = 1.313, however sure and right the network is.
    """
    return cross_entropy(logits.softmax(dim=1), labels)


def smoothed_cross_entropy(smoothing: float) -> Loss:
    """Cross-entropy to labels of which a share `smoothing` is spread evenly over all classes (label smoothing).

    Raises SettingsError where it is not in [0, 1).
    Source: Szegedy et al., CVPR 2016, arXiv 1512.00567, section 7.
    """
    if not 0 <= smoothing < 1:
        raise SettingsError(f"label smoothing must be in [0, 1), not {smoothing}.")
    return partial(cross_entropy, label_smoothing=smoothing)


def cox_loss(risks: Tensor, outcomes: Tensor, *, ties: Literal["breslow", "efron"] = "breslow") -> Tensor:
    """Mean negative log partial likelihood of risks (b, 1) over the events of a batch; `outcomes` (b, 2) are time and
    event (1 or 0). The risk set of an event is everyone of the batch not gone before it, so that a batch of all
    training patients has them all. Of events at one time, Breslow leaves all of them in each one's risk set, Efron
    takes out the mean of those counted before. A batch without an event gives 0. O(b log b), Efron's O(events^2).

    Source: Cox, J R Stat Soc B 1972;34:187, doi 10.1111/j.2517-6161.1972.tb00899.x; Efron, J Am Stat Assoc 1977;72:557,
    doi 10.1080/01621459.1977.10480613; Katzman et al., BMC Med Res Methodol 2018;18:24, doi 10.1186/s12874-018-0482-1.
    """
    risk, (time, event) = risks[:, 0], outcomes.unbind(dim=1)
    order = time.argsort(descending=True)
    latest = -time[order]
    last_at_risk = torch.searchsorted(latest, latest, right=True) - 1
    came = event[order] > 0
    total = risk[order].logcumsumexp(dim=0)[last_at_risk][came]
    own, when = risk[order][came], latest[came]
    if ties == "efron":
        tied = when[:, None] == when
        share = tied.tril(-1).sum(dim=1) / tied.sum(dim=1)
        together = own.expand(len(own), -1).masked_fill(~tied, -math.inf).logsumexp(dim=1)
        total = total + torch.log1p(-share * (together - total).exp())
    return (total - own).sum() / max(len(own), 1)


def discrete_time_loss(ends: Sequence[float]) -> Loss:
    """Mean negative log-likelihood of discrete time: estimates (b, k) are the log-odds of the hazard in each of k
    intervals, which end at `ends` in rising order, the last past all follow-up that counts. `outcomes` as in Cox's.

    An event counts in its interval and as survival of those before; a patient without one has survived the intervals
    that were over when they were last seen. Source: Gensheimer and Narasimhan, PeerJ 2019;7:e6257, doi
    10.7717/peerj.6257; Kvamme and Borgan, Lifetime Data Anal 2021;27:710, doi 10.1007/s10985-021-09532-6.
    Raises SettingsError where the ends do not rise.
    """
    if not ends or list(ends) != sorted(set(ends)) or ends[0] <= 0:
        raise SettingsError(f"got ends of intervals {list(ends)}, wanted months above 0 that rise.")

    def loss(estimates: Tensor, outcomes: Tensor) -> Tensor:
        end = torch.tensor(ends, dtype=estimates.dtype, device=estimates.device)
        start = torch.cat([end.new_zeros(1), end[:-1]])
        time, event = outcomes[:, :1], outcomes[:, 1:]
        fell = (event > 0) & (start < time) & (time <= end)
        survived = torch.where(event > 0, end < time, end <= time)
        terms = binary_cross_entropy_with_logits(estimates, fell.to(estimates.dtype), reduction="none")
        return (terms * (fell | survived)).sum(dim=1).mean()

    return loss


def discrete_risk(estimates: Tensor) -> Tensor:
    """Risk (b,) of the estimates of `discrete_time_loss`: minus the intervals a patient is expected to survive."""
    return -torch.sigmoid(-estimates).cumprod(dim=1).sum(dim=1)


def gaussian_nll(estimates: Tensor, targets: Tensor) -> Tensor:
    """Mean negative log-likelihood of targets (b, k, 2), value and bound, under the estimates (b, k, 2), mean and log
    variance, of a normal distribution each; less its constant. The bound is not looked at.

    Source: Nix and Weigend, ICNN 1994, doi 10.1109/ICNN.1994.374138.
    """
    mean, log_variance = estimates.unbind(dim=-1)
    log_variance = log_variance.clamp(SUREST, LEAST_SURE)
    squares = (mean - targets[..., 0]) ** 2
    return (log_variance + squares * torch.exp(-log_variance)).mean() / 2


def bound_normalised_error(estimates: Tensor, targets: Tensor, *, most: float) -> Tensor:
    """Mean squared error of estimates (b, k, 2), each in units of its bound: 1 is what an efficient estimator reaches.

    `targets` (b, k, 2) are the values and the standard deviations that no estimator goes below, such as Cramer and
    Rao's; so no target counts more for being measured in small numbers. An error of more than `most` bounds counts in
    proportion, not in square (as in Huber's loss), lest the easiest targets drown the others. "CRB-informed training".
    """
    errors = ((estimates[..., 0] - targets[..., 0]) / targets[..., 1]).abs()
    return torch.where(errors < most, errors**2, most * (2 * errors - most)).mean()


def likelihood_and_bound(*, share: float, most: float) -> Loss:
    """`gaussian_nll` and, as its mate of weight `share`, half of `bound_normalised_error`.

    Raises SettingsError for a share below 0 or a `most` that is not above 0.
    """
    if share < 0 or most <= 0:
        raise SettingsError(f"got a share of {share} and at most {most} bounds; wanted 0 or more, and more than 0.")

    def both(estimates: Tensor, targets: Tensor) -> Tensor:
        bound = bound_normalised_error(estimates, targets, most=most)
        return gaussian_nll(estimates, targets) + share / 2 * bound

    return both


def dice_and_cross_entropy(logits: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy of the log-odds of maps (b, k, h, w), 1 inside and 0 outside, and 1 minus the Dice coefficient of
    probabilities, the mean over the maps of the whole batch; one pixel is added to both sides of Dice.

    Source: Milletari et al., 3DV 2016, arXiv 1606.04797, without squares (Drozdzal et al. 2016, arXiv 1608.04117).
    """
    share = logits.sigmoid()
    both, either = ((share * masks).sum(dim=(0, 2, 3)), (share + masks).sum(dim=(0, 2, 3)))
    return binary_cross_entropy_with_logits(logits, masks) + (1 - (2 * both + 1) / (either + 1)).mean()


def segmentation_loss(*, weights: Sequence[float] | None = None, dice: float = 1.0) -> Loss:
    """Cross-entropy of logits (b, classes, …) and classes (b, …), 0 for none, each voxel weighted by its class; and
    `dice` times 1 minus the Dice coefficient of probabilities, the mean over the other classes of the whole batch, one
    voxel being added to both sides. Raises SettingsError for a weight or `dice` below 0.

    Source of Dice: as `dice_and_cross_entropy`.
    """
    if dice < 0 or min(weights or (0,)) < 0:
        raise SettingsError(f"got the weights {weights} of classes and {dice} of Dice, wanted 0 or more.")

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        classes = labels.long()
        weight = None if weights is None else logits.new_tensor(weights)
        found = cross_entropy(logits, classes, weight=weight)
        if not dice:
            return found
        share, true = logits.softmax(1).flatten(2), one_hot(classes.flatten(1), logits.shape[1]).mT
        both, either = ((share * true).sum(dim=(0, 2)), (share + true).sum(dim=(0, 2)))
        return found + dice * (1 - (2 * both + 1) / (either + 1))[1:].mean()

    return loss

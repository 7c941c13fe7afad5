"""Cox likelihood: our loss over 100,000 patients against torchsurv's, forward and backward, in the same run.

    .venv/bin/python benchmarks/cox_likelihood.py [--torchsurv FOLDER]

torchsurv is no dependency of hepatica: FOLDER is the site-packages of an environment of its own, such as
`uv venv /tmp/ts && uv pip install --python /tmp/ts/bin/python --no-deps torchsurv torchmetrics lightning-utilities`,
and is put behind ours, so that both run on the same torch. Without it the comparison is skipped, and said so.

Prints seconds (medians of ROUNDS) for 1e4 and 1e5 patients, with and without ties, in double precision, and checks that
both say the same.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import torch

from hepatica.learn import cox_loss

ROUNDS = 7


def cohort(patients: int, *, ties: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Risks (n, 1) and outcomes (n, 2), half of them censored; with ties in whole months."""
    torch.manual_seed(0)
    risk = torch.randn(patients, dtype=torch.float64)
    observed = 24 * torch.distributions.Exponential(risk.exp()).sample()
    event = torch.rand(patients) < 0.5
    return risk[:, None], torch.stack([observed.ceil() if ties else observed, event.double()], dim=1)


def seconds(
    loss: Callable[[torch.Tensor], torch.Tensor], risk: torch.Tensor
) -> tuple[float, torch.Tensor, torch.Tensor]:
    """Wall-clock time of one loss and its slopes; the loss and the slopes."""
    leaf = risk.clone().requires_grad_()
    begin = time.perf_counter()
    value = loss(leaf)
    value.backward()
    return time.perf_counter() - begin, value.detach(), leaf.grad


def compare(patients: int, *, ties: bool, peer: Callable[..., torch.Tensor] | None) -> None:
    """Time both in turn, round by round, so that a busy machine troubles them alike."""
    risk, outcome = cohort(patients, ties=ties)
    losses = {"ours": lambda found: cox_loss(found, outcome)}
    if peer is not None:
        event, months = outcome[:, 1].bool(), outcome[:, 0]
        # Its mean is over distinct times, ours over events.
        losses["torchsurv"] = lambda found: (
            peer(found, event, months, ties_method="breslow", reduction="sum") / event.sum()
        )
    times = {name: [] for name in losses}
    for _ in range(ROUNDS):
        found = {name: seconds(loss, risk) for name, loss in losses.items()}
        for name, (taken, *_) in found.items():
            times[name].append(taken)
    own = found["ours"]
    if peer is not None:
        other = found["torchsurv"]
        apart = abs(float(own[1] - other[1])) / float(own[1])
        if apart > 1e-6:  # torchsurv 0.2.0 gives single precision, whatever it is given
            raise SystemExit(f"disagreement: loss {float(own[1])!r} and {float(other[1])!r}")
    agreed = f", losses {apart:.1e} of themselves apart" if peer is not None else ""
    medians = {name: statistics.median(each) for name, each in times.items()}
    line = ", ".join(f"{name} {each:.4f} s" for name, each in medians.items())
    ratio = f", ratio {medians['torchsurv'] / medians['ours']:.2f}" if peer is not None else ""
    print(f"Cox loss and slopes, n = {patients:.0e}, {'with' if ties else 'without'} ties: {line}{ratio}{agreed}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--torchsurv", default="")
    sys.path.append(parser.parse_args().torchsurv)
    try:
        from torchsurv.loss.cox import neg_partial_log_likelihood as theirs
    except ImportError as error:
        print(f"torchsurv is not at hand ({error}): ours alone")
        theirs = None
    for number in (10_000, 100_000):
        for tied in (False, True):
            compare(number, ties=tied, peer=theirs)

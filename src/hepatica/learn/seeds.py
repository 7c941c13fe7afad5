"""Seeds: one number drawn from several, so that chance depends on nothing but (seed, epoch, device)."""

import numpy as np


def seed_from(seed: int, *, epoch: int, rank: int = 0) -> int:
    """Mix a seed with an epoch and the number of a device into one 64-bit seed; near inputs give unrelated outputs."""
    return int(np.random.SeedSequence([seed, epoch, rank]).generate_state(1, np.uint64)[0])

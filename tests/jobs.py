"""Jobs: what a test lets another process do, which imports it from here."""

import torch

from hepatica.cohort import RunError
from hepatica.studies import Work


def write_or_fail(work: Work, name: str) -> None:
    """Write numbers drawn from a seed, and in how many threads, then raise."""
    torch.manual_seed(0)
    (work.run / name).write_bytes(torch.randn(64, 64).mm(torch.randn(64, 64)).numpy().tobytes())
    (work.run / "threads").write_text(str(torch.get_num_threads()))
    raise RunError(f"got {name}, wanted good")

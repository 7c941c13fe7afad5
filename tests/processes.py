"""Processes: whether one that a test began is still there."""

from pathlib import Path


def is_running(process: int) -> bool:
    """Whether it is there, and not only as an entry that its parent has yet to take away."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

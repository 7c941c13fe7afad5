"""Quiet: keeps Lightning's advertisements and advice away from our users."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from lightning.fabric.utilities.warnings import PossibleUserWarning


@contextmanager
def quiet() -> Iterator[None]:
    """Silence, within the block, Lightning's notes and its advice to programmers; its other warnings pass."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            # Advice such as "use more workers" or "a GPU is there"; `loaders` and the user have decided that.
            warnings.simplefilter("ignore", PossibleUserWarning)
            # Lightning 2.6 makes a class that torch 2.15 has renamed; nothing our users could change.
            warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)

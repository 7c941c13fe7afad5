"""Parent: a process that ends with the one that began it, however that ends."""

import os
import threading
import time

EVERY_S = 0.5
"""Seconds between two looks (ours)."""


def end_with(parent: int) -> None:
    """End this process, at once and whatever it does, when its parent is no longer the process of that number.

    The number is the parent's to give: asked here, a parent that has died already would not be missed.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(EVERY_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()

"""Runs: the walk of the data, cohort in, locked model and results out; one command is one function of this room.

Nothing is imported until it is used: jobs and run folders are read without torch.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hepatica.runs.explain import explain
    from hepatica.runs.features import features
    from hepatica.runs.folder import RunFolder, read_settings
    from hepatica.runs.lock import LockedRun, open_run, verify_lock
    from hepatica.runs.predict import predict
    from hepatica.runs.train import train
    from hepatica.runs.validate import validate
    from hepatica.runs.verify import verify

__all__ = [
    "LockedRun",
    "RunFolder",
    "explain",
    "features",
    "open_run",
    "predict",
    "read_settings",
    "train",
    "validate",
    "verify",
    "verify_lock",
]

_PLACES = {
    "LockedRun": "lock",
    "RunFolder": "folder",
    "open_run": "lock",
    "read_settings": "folder",
    "verify_lock": "lock",
}


class _Runs(ModuleType):
    """A module in which the name of a command is its function, also once the module of that name is imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Runs


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'hepatica.runs' has no attribute {name!r}; it has {', '.join(__all__)}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_PLACES.get(name, name)}"), name)
    return found

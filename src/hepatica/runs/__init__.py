"""Runs: the walk of the data, cohort in, locked model and results out; one command is one function of this room."""

from hepatica.runs.explain import explain
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
    "open_run",
    "predict",
    "read_settings",
    "train",
    "validate",
    "verify",
    "verify_lock",
]

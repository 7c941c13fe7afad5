"""Hepatica: published deep-learning systems for liver cancer, trained, locked, validated, explained, reported.

    import hepatica as hp

    cohort = hp.load_cohort("my_hospital")
    run = hp.train("li_2025_cnn_sasm", cohort, run="my_run")
    run.validate("other_hospital").metrics
    run.predict("new.svs").plot()
    run.report()

Nothing else is imported until it is used.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hepatica import evaluate
    from hepatica.cohort import load_cohort
    from hepatica.interface import list_systems, open_run, predict, train

__version__ = version("hepatica")

__all__ = ["__version__", "evaluate", "list_systems", "load_cohort", "open_run", "predict", "train"]

_PLACES = {"load_cohort": "hepatica.cohort", "evaluate": "hepatica.evaluate"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'hepatica' has no attribute {name!r}; it has {', '.join(__all__)}")
    module = import_module(_PLACES.get(name, "hepatica.interface"))
    return module if name == "evaluate" else getattr(module, name)


def __dir__() -> list[str]:
    return sorted(__all__)

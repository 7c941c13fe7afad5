"""Services: programs and servers that some tests need; without one the test skips, or fails where all are required."""

import os
import shutil
from typing import NoReturn

import pytest


def absent(what: str) -> NoReturn:
    """Skip the test; fail it under HEPATICA_REQUIRE=1, as in continuous integration."""
    if os.environ.get("HEPATICA_REQUIRE") == "1":
        pytest.fail(f"{what} is missing, and HEPATICA_REQUIRE=1 requires it; see .ci/run")
    pytest.skip(f"{what} is missing")


def program(*names: str) -> str:
    """Path of the first of these programs that is installed."""
    found = next(filter(None, (shutil.which(name) for name in names)), None)
    return found or absent(" or ".join(names))


def setting(name: str) -> str:
    """Value of an environment variable that names a service."""
    return os.environ.get(name) or absent(f"the environment variable {name}")

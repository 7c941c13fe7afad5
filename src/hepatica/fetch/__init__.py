"""Fetch: public cohorts, brought from their archives into hepatica's cohort format."""

from collections.abc import Callable, Mapping
from pathlib import Path

from hepatica.fetch.tcga_lihc import fetch_tcga_lihc

__all__ = ["SOURCES", "fetch_tcga_lihc"]

SOURCES: Mapping[str, Callable[..., Path]] = {"tcga-lihc": fetch_tcga_lihc}
"""Name of a public cohort, as `hepatica fetch` knows it, and what fetches it into a folder."""

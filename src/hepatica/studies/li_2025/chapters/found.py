"""Found: what a study of Li 2025 found, read once from its folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from hepatica.report.page.results import Run


@dataclass(frozen=True, kw_only=True)
class Study:
    """A finished study; every table is about patients no network that scored them was trained on.

    `run` is the locked model of the chosen subset with its validations, `subsets` the runs of all subsets by their
    ratio ("1/4" … "1"), on the same split, chosen one included. `settings` is study.toml's table of settings.
    `cells`: one row a held-out tile, candidate, ratio and fold of the cross-validation (see
    `hepatica.studies.li_2025.cross_validation`). `choice`: what was chosen and why.
    `out_of_fold`: predictions table of the chosen subset's risk of each training patient, made by a network that was
    not trained on him; its fold is the number of the held-out fold, "1" …
    `end_to_end`: predictions table of networks trained on raw labels, a network a target; folds test and set_aside.
    `end_to_end_cutoffs`: the training median of each of these networks, by the key of its target.
    """

    folder: Path
    settings: Mapping[str, Any]
    run: Run
    subsets: Mapping[str, Run]
    cells: pd.DataFrame
    choice: Mapping[str, Any]
    out_of_fold: pd.DataFrame
    end_to_end: pd.DataFrame
    end_to_end_cutoffs: Mapping[str, float]

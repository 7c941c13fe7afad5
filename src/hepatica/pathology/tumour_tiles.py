"""Tumour tiles: which tiles of a store are tumour, as outlined: what systems learn that first look for the tumour."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from hepatica.cohort import CohortError
from hepatica.pathology.outlines import tile_share
from hepatica.pathology.store import TileStore
from hepatica.protocol.plain import UNKNOWN, require_both
from hepatica.protocol.records import Training


def outlined_tumour(
    training: Training[Any, TileStore], *, classes: Sequence[str], mixed: tuple[float, float]
) -> np.ndarray:
    """Of each tile (tiles,) int64: 1 tumour, 0 other tissue; UNKNOWN on slides without annotation, and where the share
    that is tumour lies between those of `mixed`.

    `classes` are those of the outlines. CohortError where no training patient has tiles of both kinds.
    """
    share = tile_share(training.material, training.cohort.specimens_of("slide"), classes=classes)
    labels = np.where(share >= mixed[1], 1, np.where(share <= mixed[0], 0, UNKNOWN))
    own = labels[training.material.index["patient_id"].isin(training.split.train) & (labels != UNKNOWN)]
    names = " or ".join(classes)
    if not own.size:
        raise CohortError(
            f"no slide of a training patient has outlines of {names}: name their GeoJSON files in the column annotation"
            " of specimens.csv, for this system first learns to find the tumour"
        )
    hint = f"outline {names} on slides that show other tissue, too, or set `tumour` to the classes that you outlined"
    require_both(own, of="the tumour network", hint=hint)
    return labels.astype(np.int64)

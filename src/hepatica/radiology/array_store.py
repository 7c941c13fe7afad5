"""Array store: arrays of many studies, a file each that is named by content and settings, read by rows of an index."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from hepatica.cohort import Specimen
from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import UnavailableError
from hepatica.cohort.ledger import Ledger
from hepatica.cohort.preparation import gather, prepare_each, selected

_WORKERS = 2  # ours: studies at once; compressed slices are decoded on all cores anyway, and a study may take 1 GB


@dataclass(frozen=True, kw_only=True, eq=False)
class ArrayStore:
    """`index`: one row a region: patient_id, specimen_id, place (within its file), and what else is known of it.
    `specimens`: one row a study: patient_id, specimen_id, key (its content), …
    `failures`: one row a study that gave nothing: patient_id, specimen_id, row (of specimens.csv), error.
    """

    folder: Path
    index: pd.DataFrame
    specimens: pd.DataFrame
    failures: pd.DataFrame
    _open: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.index)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_open": {}}  # open files do not travel to another process

    @cached_property
    def _places(self) -> list[tuple[str, int]]:
        keys = self.specimens.set_index("specimen_id").loc[self.index["specimen_id"], "key"]
        return list(zip(keys, self.index["place"].tolist(), strict=True))

    def arrays(self, name: str, indices: np.ndarray) -> np.ndarray:
        """The array of that name of these rows of `index`, (b …); UnavailableError where a file is lost."""
        if len(indices) == 0 and len(self):
            return self.arrays(name, np.zeros(1, int))[:0]
        places = [self._places[number] for number in indices]
        return np.stack([self._file(key).get_slice(name)[place] for key, place in places])

    def has(self, name: str, indices: np.ndarray) -> bool:
        """Whether the files of all these rows have an array of that name."""
        return all(name in self._file(self._places[number][0]).keys() for number in indices)  # noqa: SIM118 - no dict

    def select(self, *, patient_ids: Iterable[str] | None = None, specimen_ids: Iterable[str] | None = None) -> Self:
        """The same store with these patients, or these studies, only; in the store's own order."""
        return selected(self, patient_id=patient_ids, specimen_id=specimen_ids)

    def rows(self, chosen: "np.ndarray | pd.Series[bool]") -> Self:
        """The same store with the rows of `index` where `chosen` (n,) is true only."""
        return replace(self, index=self.index[np.asarray(chosen, bool)].reset_index(drop=True))

    def _file(self, key: str) -> Any:
        if key not in self._open:
            opened = _opened(_path(self.folder, key))
            if opened is None:
                raise UnavailableError(f"the file {key} has been removed or damaged; prepare the studies again")
            self._open[key] = opened
        return self._open[key]


def prepare_files(
    keys: Mapping[Specimen, str],
    write: Callable[[Path, Specimen], None],
    *,
    ledger: Ledger,
    label: str,
    wanted: str,
    progress: bool,
) -> tuple[list[tuple[dict[str, Any], Any]], pd.DataFrame]:
    """Let `write` make the file of each study that is not there yet, by its key, beside the ledger (`prepare_each`).

    Of each file that is there then: patient_id, specimen_id and key, and what `write_arrays` says of it; and the
    failures.
    """
    folder = ledger.folder.parent
    missing = {key: each for each, key in keys.items() if _opened(_path(folder, key)) is None}

    def make(key: str, specimen: Specimen) -> None:
        write(_path(folder, key), specimen)

    prepare_each(missing, make, ledger=ledger, label=label, workers=_WORKERS, progress=progress)
    found, failures = gather(keys, lambda key: _opened(_path(folder, key)), ledger=ledger, wanted=wanted)
    return [(who, json.loads(opened.metadata()["about"])) for who, opened in found], failures


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], *, about: Any) -> None:
    """Write a study's file, whole or not at all; `about` are plain values."""
    with replacing(path) as temporary:
        temporary.write_bytes(save(dict(arrays), {"about": json.dumps(about)}))


def _path(folder: Path, key: str) -> Path:
    return folder / f"{key}.safetensors"


def _opened(path: Path) -> Any:
    """An open file; None where there is none, or none that is whole."""
    try:
        return safe_open(path, "numpy")
    except (FileNotFoundError, SafetensorError):
        return None

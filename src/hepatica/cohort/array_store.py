"""Array store: arrays of many specimens, a file each, named by content and settings and read by rows of an index."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import UnavailableError
from hepatica.cohort.preparation import Ledger, Store, gather, prepare_each
from hepatica.cohort.specimens import Specimen

MOST_OPEN = 1024
"""Files that a store keeps open at once (ours); a system allows 65,530 mapped ones, Linux as it comes."""

_WORKERS = 2  # ours: studies at once; compressed slices are decoded on all cores anyway, and a study may take 1 GB


@dataclass(frozen=True, kw_only=True, eq=False)
class ArrayStore(Store):
    """`index` has the column PLACE too, the row within the file; `key` of `specimens` names the file in `folder`."""

    PLACE: ClassVar[str] = "place"
    KIND: ClassVar[str] = "studies"
    folder: Path
    _open: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_open": {}}  # open files do not travel to another process

    @cached_property
    def _places(self) -> list[tuple[str, int]]:
        keys = self.specimens.set_index("specimen_id").loc[self.index["specimen_id"], "key"]
        return list(zip(keys, self.index[self.PLACE].tolist(), strict=True))

    def arrays(self, name: str, indices: np.ndarray) -> np.ndarray:
        """The array of that name of these rows of `index`, (b …); UnavailableError where a file is lost."""
        if len(indices) == 0 and len(self):
            return self.arrays(name, np.zeros(1, int))[:0]
        places = [self._places[number] for number in indices]
        return np.stack([self.file(key).get_slice(name)[place] for key, place in places])

    def has(self, name: str, indices: np.ndarray) -> bool:
        """Whether the files of all these rows have an array of that name."""
        return all(name in self.file(self._places[number][0]).keys() for number in indices)  # noqa: SIM118 - no dict

    def file(self, key: str) -> Any:
        """The open file of a specimen; UnavailableError where it is lost."""
        if key not in self._open:
            if len(self._open) >= MOST_OPEN:
                self._open.pop(next(iter(self._open)))
            self._open[key] = open_arrays(self.folder, key)
        if self._open[key] is None:
            raise UnavailableError(f"the file {key} has been removed or damaged; prepare the {self.KIND} again")
        return self._open[key]


def prepare_files(
    keys: Mapping[Specimen, str],
    write: Callable[[Path, Specimen], None],
    *,
    ledger: Ledger,
    label: str,
    wanted: str,
    progress: bool,
    workers: int | None = None,
) -> tuple[list[tuple[dict[str, Any], Any]], pd.DataFrame]:
    """Let `write` make the file of each study that is not there yet, by its key, beside the ledger (`prepare_each`).

    Of each file that is there then: patient_id, specimen_id and key, and what `write_arrays` says of it; and the
    failures.
    """
    folder = ledger.folder.parent
    missing = {key: each for each, key in keys.items() if open_arrays(folder, key) is None}

    def make(key: str, specimen: Specimen) -> None:
        write(path_of(folder, key), specimen)

    prepare_each(missing, make, ledger=ledger, label=label, workers=workers or _WORKERS, progress=progress)
    return gather(keys, partial(about_file, folder), ledger=ledger, wanted=wanted)


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], *, about: Any) -> None:
    """Write a study's file, whole or not at all; `about` are plain values."""
    with replacing(path) as temporary:
        temporary.write_bytes(save(dict(arrays), {"about": json.dumps(about)}))


def path_of(folder: Path, key: str) -> Path:
    """The file of a key."""
    return folder / f"{key}.safetensors"


def about_file(folder: Path, key: str) -> Any:
    """What `write_arrays` said of the file of a key, which is closed again; None where there is none."""
    opened = open_arrays(folder, key)
    return opened and json.loads(opened.metadata()["about"])


def open_arrays(folder: Path, key: str) -> Any:
    """The open file of a key; None where there is none, or none that is whole and of ours."""
    try:
        opened: Any = safe_open(path_of(folder, key), "numpy")  # its methods carry no types
        return opened if "about" in (opened.metadata() or {}) else None
    except (FileNotFoundError, SafetensorError):
        return None

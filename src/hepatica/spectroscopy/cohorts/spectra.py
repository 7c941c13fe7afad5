"""Spectra: the spectra of a cohort, read once, brought to one acquisition, kept whole and windowed when asked for."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hepatica.cohort.array_store import open_arrays, prepare_files, write_arrays
from hepatica.cohort.digests import content_digest
from hepatica.cohort.errors import UnavailableError
from hepatica.cohort.preparation import Ledger, Store, specimen_key
from hepatica.cohort.specimens import Specimen
from hepatica.spectroscopy.fitting.signal_model import WINDOW_PPM
from hepatica.spectroscopy.networks.network_input import as_network_values, norm
from hepatica.spectroscopy.preprocessing.preprocess import PREPROCESSING, Preprocessing
from hepatica.spectroscopy.preprocessing.quality import quality
from hepatica.spectroscopy.reading.read import NO_OVERRIDES, read_spectrum
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.header import Header
from hepatica.spectroscopy.signal.resample import resampled
from hepatica.spectroscopy.signal.spectrum import Signal, Spectrum, to_spectrum

SCHEMA = 3
"""Version of the spectrum files; raised whenever the same settings would give other spectra."""

_WORKERS = 1  # silencing spec2nii's warnings affects the whole process; a spectrum takes a tenth of a second


@dataclass(frozen=True, kw_only=True, eq=False)
class SpectraStore(Store):
    """Spectra of many specimens as one numbered sequence, which `hepatica.learn` reads as its inputs.

    `index`: one row a spectrum: patient_id, specimen_id, norm (mean modulus of the window, by which `read` divides),
    noise_sd (of real and of imaginary part, in the unit of `values`), snr, linewidth_hz, water_residual, lipid (see
    `Quality`).
    `specimens`: one row a specimen: patient_id, specimen_id, key (its content), averages (0: unknown), water (whether
    there was a usable reference), notes (processing, corrections and observations).
    `failures`: one row a specimen that gave no spectrum: patient_id, specimen_id, row (of specimens.csv), error.
    """

    folder: Path
    acquisition: Acquisition
    window_ppm: tuple[float, float]
    _open: dict[str, Spectrum] = field(default_factory=dict, init=False, repr=False)

    @property
    def ppm(self) -> NDArray[np.float64]:
        """(w,) ppm of `values` and `read`, rising."""
        return self.acquisition.ppm[self._window]

    @cached_property
    def _window(self) -> NDArray[np.bool_]:
        return self.acquisition.within(*self.window_ppm)

    @cached_property
    def _keys(self) -> list[str]:
        keys: list[str] = self.specimens.set_index("specimen_id")["key"].loc[self.index["specimen_id"]].tolist()
        return keys

    def read(self, indices: NDArray[Any]) -> NDArray[np.float32]:
        """Windows of these rows of `index`, each divided by its norm: (b 1 w 2) float32, real and imaginary part."""
        norms = self.index["norm"].to_numpy()[indices]
        return as_network_values(self.values(indices) / norms[:, None])

    def values(self, indices: NDArray[Any]) -> Signal:
        """Windows of these rows of `index` as measured, in the unit of `to_spectrum`: (b w)."""
        return to_spectrum(np.stack([self.spectrum(number).fid for number in indices]))[:, self._window]

    def spectrum(self, number: int) -> Spectrum:
        """The whole spectrum of one row of `index`, brought to `acquisition`, with its water reference if any."""
        key = self._keys[number]
        if key not in self._open:
            opened = open_arrays(self.folder, key)
            if opened is None:
                raise UnavailableError(
                    f"the spectrum file {key} has been removed or damaged; prepare the spectra again"
                )
            self._open[key] = _spectrum(opened)
        return self._open[key]


def prepare(
    specimens: Sequence[Specimen],
    *,
    acquisition: Acquisition,
    folder: Path,
    window_ppm: tuple[float, float] = WINDOW_PPM,
    header_overrides: Header = NO_OVERRIDES,
    settings: Preprocessing = PREPROCESSING,
    progress: bool = True,
) -> SpectraStore:
    """Read every spectrum, once: what is already in `folder` from the same content and settings is not read again.

    Each is preprocessed and brought to the sampling of `acquisition`. `header_overrides` corrects or completes the
    headers. A spectrum that cannot be used goes, with the reason, into the ledger (`folder`/ledger) and into
    `failures`. May be killed at any moment and started again, one run at a time to a folder. Raises SpecimenError when
    no specimen gives a spectrum, UnavailableError when the folder cannot be written (disk full).
    """
    settled: dict[str, Any] = {"acquisition": acquisition, "header_overrides": header_overrides, "settings": settings}
    made_by = {"schema": SCHEMA, **{name: asdict(each) for name, each in settled.items()}}
    keys = {each: spectrum_key(each, settings=made_by) for each in specimens}

    def read(path: Path, specimen: Specimen) -> None:
        water = specimen.attachments.get("water")
        spectrum = read_spectrum(specimen.path, water=water, header_overrides=header_overrides, settings=settings)
        _write(path, resampled(spectrum, acquisition=acquisition))

    found, failures = prepare_files(
        keys,
        read,
        ledger=Ledger(folder / "ledger"),
        label="Reading spectra",
        wanted="specimens gave a spectrum",
        workers=_WORKERS,
        progress=progress,
    )
    window = acquisition.within(*window_ppm)
    rows, studies = [], []
    for who, about in found:
        spectrum = _spectrum(open_arrays(folder, who["key"]))
        facts = {"averages": spectrum.averages or 0, "water": spectrum.water is not None}
        studies.append(who | facts | {"notes": "; ".join(spectrum.notes)})
        names = {name: who[name] for name in ("patient_id", "specimen_id")}
        strength = {"norm": float(norm(spectrum.values[window])), "noise_sd": about["noise_sd"]}
        rows.append(names | strength | about["quality"])
    return SpectraStore(
        folder=folder,
        acquisition=acquisition,
        window_ppm=window_ppm,
        index=pd.DataFrame(rows),
        specimens=pd.DataFrame(studies),
        failures=failures,
    )


def spectrum_key(specimen: Specimen, *, settings: Mapping[str, Any]) -> str:
    """`specimen_key` of a spectrum, its water reference, and the other file of a pair of SDAT and SPAR."""
    pair = [specimen.path.with_suffix(f".{case(kind)}") for kind in ("spar", "sdat") for case in (str.lower, str.upper)]
    beside = [content_digest(each).hex() for each in pair if each != specimen.path and each.is_file()]
    reference = specimen.attachments.get("water")
    water = None if reference is None else content_digest(reference).hex()
    return specimen_key(specimen, settings={**settings, "water": water, "beside": beside})


def _write(path: Path, spectrum: Spectrum) -> None:
    """The decays as (points, 2) float64, real and imaginary part, and everything else in the metadata."""
    arrays = {"fid": _parts(spectrum.fid)}
    if spectrum.water is not None:
        arrays["water"] = _parts(spectrum.water)
    about = {
        "acquisition": asdict(spectrum.acquisition),
        "averages": spectrum.averages,
        "notes": spectrum.notes,
        "water_acquisition": spectrum.water_acquisition and asdict(spectrum.water_acquisition),
        "noise_sd": spectrum.noise_sd,
        "quality": asdict(quality(spectrum)),
    }
    write_arrays(path, arrays, about=about)


def _parts(fid: Signal) -> NDArray[np.float64]:
    return np.stack([fid.real, fid.imag], axis=-1)


def _spectrum(opened: Any) -> Spectrum:
    about = json.loads(opened.metadata()["about"])
    decays = {name: opened.get_tensor(name) @ np.array([1, 1j]) for name in opened.keys()}  # noqa: SIM118 - not a dict
    return Spectrum(
        fid=decays["fid"],
        water=decays.get("water"),
        acquisition=Acquisition(**about["acquisition"]),
        averages=about["averages"],
        notes=tuple(about["notes"]),
        water_acquisition=about["water_acquisition"] and Acquisition(**about["water_acquisition"]),
        measured_noise_sd=about["noise_sd"],
    )

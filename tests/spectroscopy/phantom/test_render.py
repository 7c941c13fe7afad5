import hashlib
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from hepatica.cohort import SettingsError, Status, load_cohort
from hepatica.cohort.atomic import read_json
from hepatica.spectroscopy.phantom import PhantomSettings, phantom_spectra
from hepatica.spectroscopy.reading.nifti_mrs import read_nifti_mrs
from hepatica.spectroscopy.reading.read import read_spectrum
from hepatica.spectroscopy.signal.header import Header
from hepatica.spectroscopy.signal.targets import LIVER20

SMALL = PhantomSettings(points=512, transients=6, water_transients=2)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return phantom_spectra(tmp_path_factory.mktemp("phantom") / "A", patients=4, seed=5, settings=SMALL)


def test_the_cohort_loads(folder: Path) -> None:
    cohort = load_cohort(folder)
    assert cohort.endpoints == {"hcc": Status(name="hcc", column="hcc")}
    assert cohort.patients.hcc.sum() == 2
    assert {specimen.modality for specimen in cohort.specimens} == {"spectrum"}


def test_the_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    assert digests(phantom_spectra(tmp_path / "again", patients=4, seed=5, settings=SMALL)) == digests(folder)


def test_a_file_holds_every_transient_of_every_coil(folder: Path) -> None:
    table = pd.read_csv(folder / "specimens.csv")
    for path, transients in ((table.path[0], 6), (table.water[0], 2)):
        raw = read_nifti_mrs(folder / "spectra" / path, header_overrides=Header())
        assert raw.fids.shape == (transients, 2, 512)
        assert (raw.acquisition.te_ms, raw.acquisition.tr_ms, raw.acquisition.sequence) == (35, 2000, "press")
        assert raw.acquisition.f0_mhz == pytest.approx(127.74)


def test_a_spectrum_is_read_with_its_reference(folder: Path) -> None:
    first = pd.read_csv(folder / "specimens.csv").loc[0]
    spectrum = read_spectrum(folder / "spectra" / first.path, water=folder / "spectra" / first.water)
    assert spectrum.water is not None
    values, ppm = spectrum.values.real, spectrum.acquisition.ppm
    within = (ppm > 0.5) & (ppm < 4.2)
    assert ppm[within][values[within].argmax()] == pytest.approx(1.3, abs=0.06)


def test_patients_differ(folder: Path) -> None:
    files = list((folder / "spectra").iterdir())
    assert len({path.read_bytes() for path in files}) == len(files) == 8


def test_the_truth_stays_out_of_the_tables(folder: Path) -> None:
    truth = pd.read_csv(folder / "truth.csv")
    assert not set(pd.read_csv(folder / "patients.csv").columns) & (set(truth.columns) - {"patient_id"})
    assert {f"{name}_mm" for name in LIVER20} < set(truth.columns)
    assert read_json(folder / "truth.json")["settings"]["spectra"]["medians_mm"] == dict(SMALL.medians_mm)


def test_a_stopped_call_goes_on_to_the_same_bytes(folder: Path) -> None:
    before = digests(folder)
    times = {path: path.stat().st_mtime_ns for path in (folder / "spectra").iterdir()}
    lost = folder / "spectra" / "0003.nii.gz"
    lost.unlink()
    (folder / "cohort.toml").unlink()
    phantom_spectra(folder, patients=4, seed=5, settings=SMALL)
    assert digests(folder) == before
    assert all(path.stat().st_mtime_ns == time for path, time in times.items() if path != lost)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (replace(SMALL, points=100), "256 points"),
        (replace(SMALL, coils=0), "1 of each"),
    ],
)
def test_impossible_wishes_are_refused(tmp_path: Path, settings: PhantomSettings, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        phantom_spectra(tmp_path / "new", patients=1, settings=settings)
    assert not (tmp_path / "new").exists()

"""Spectrum picture: a file a spectrum, its ppm from right to left, what the network looks at in colour."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from hepatica.cohort import load_cohort
from hepatica.spectroscopy.cohorts import spectrum_picture
from hepatica.spectroscopy.cohorts.spectra import prepare
from hepatica.spectroscopy.cohorts.spectrum_picture import draw_spectrum
from hepatica.spectroscopy.phantom import phantom_spectra
from hepatica.spectroscopy.signal.acquisition import Acquisition


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return load_cohort(phantom_spectra(tmp_path_factory.mktemp("phantom") / "cohort", patients=2, seed=2))


def drawn(cohort, folder, seen):
    store = prepare(cohort.specimens, acquisition=Acquisition(), folder=folder / "spectra", progress=False)
    specimen = cohort.specimens[0]
    regions = store.index[store.index["specimen_id"] == specimen.specimen_id].assign(score=0.73)
    return draw_spectrum(
        specimen, material=store, regions=regions, saliency=seen, stem=folder / "specimen_0002", note="phantom",
        meaning="probability of HCC",
    )  # fmt: skip


def test_a_picture_a_spectrum_with_what_it_is_of(cohort, tmp_path, monkeypatch) -> None:
    kept: list[Figure] = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda own, *a, **k: (kept.append(own), save(own, *a, **k)))
    (path,) = drawn(cohort, tmp_path, lambda images: np.zeros(images.shape[:3]))
    assert path.name == "specimen_0002_saliency.png"
    (upper, lower) = kept[0].axes
    left, right = lower.get_xlim()
    assert left > right
    assert upper.get_title(loc="left") == "probability of HCC: 0.73"
    assert "phantom" in lower.get_xlabel()
    labels = {each.get_text().strip() for each in upper.texts}
    assert labels >= set(spectrum_picture.PEAKS_PPM)
    assert [each for each in labels - set(spectrum_picture.PEAKS_PPM) if each[0] != "\N{MULTIPLICATION SIGN}"] == []


def test_what_moves_the_score_is_coloured(cohort, tmp_path) -> None:
    def orange(seen) -> float:
        (path,) = drawn(cohort, tmp_path, seen)
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"), int)
        return float(((pixels[..., 0] - pixels[..., 2]) > 100).mean())

    assert orange(lambda images: np.zeros(images.shape[:3])) < 1e-4
    assert orange(lambda images: np.ones(images.shape[:3])) > 0.05

"""Browser, spectra: a spectrum with its water is dropped, and seen with fit, components and residual."""

from typing import Any

import pytest

READY = "[data-ready=spectrum]"


@pytest.fixture(scope="module")
def spectra(trained_spectra: Any, serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from hepatica.spectroscopy.phantom import phantom_spectra

    new = phantom_spectra(tmp_path_factory.mktemp("new") / "b", patients=2, seed=9, hospital="B", difficulty=0.0)
    return serve(trained_spectra["bae_2025_qcnn"].run, new.parent)


def test_a_spectrum_is_dropped_and_seen_with_its_fit(spectra: Any, opened: Any) -> None:
    seen = opened(spectra, width=390)
    page = seen.go("/")
    folder = spectra.bench.settings.cohorts / "b" / "spectra"
    page.set_input_files("#files", [folder / "0001.nii.gz", folder / "0001_water.nii.gz"])
    page.wait_for_selector("html[data-drop=whole]")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.select_option("#run", "bae_2025_qcnn")
    page.click("#go")
    page.wait_for_url("**/cases/*")
    spectra.finish()
    page.wait_for_selector(READY)
    assert page.locator("[data-spectrum]").count() == 1  # the water is no specimen of its own
    assert page.locator("[data-verdict]").count() == 1
    plot = "document.querySelector('[data-spectrum]').plots[0]"
    assert page.evaluate(f"{plot}.valToPos(4, 'x') < {plot}.valToPos(1, 'x')")  # ppm grow to the left
    assert page.evaluate("document.querySelector('[data-spectrum]').plots[1].data[1].some(Number.isFinite)")
    names = page.locator("[data-set=component] option").all_inner_texts()
    assert len(names) == 21
    page.select_option("[data-set=component]", names[1])
    page.wait_for_selector(f"[data-component={names[1]}]", state="attached")
    assert page.evaluate(f"{plot}.data[4].some(Number.isFinite)")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert seen.faults() == []

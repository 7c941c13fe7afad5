"""Browser, CT: a phantom CT is dropped, scored and looked at, with overlays that move."""

from typing import Any

import numpy as np
import pytest

from hepatica.protocol import ModelIdentity
from hepatica.radiology.dicom.scans import find_scans
from hepatica.radiology.results.deliver import write_objects
from hepatica.radiology.results.derived_images import parametric_map, segmentation
from hepatica.radiology.results.evidence import evidence_of

READY = "[data-ready=volume]"


@pytest.fixture(scope="module")
def scans(trained_ct: Any, serve: Any) -> Any:
    return serve(trained_ct.run, trained_ct.other)


def lay_over(case: Any) -> None:
    """Give the first series a saliency map and a flagged region, as a system that maps nodules does."""
    series = next(each.series for each in find_scans(next(case.inputs.iterdir())).scans)
    evidence = evidence_of(series)
    values = np.zeros(series.geometry.shape, np.float32)
    values[4:9, 30:60, 20:50] = np.linspace(0.3, 1, 30)
    model = ModelIdentity(system="test", version="0", digest="0" * 64, doi="10.0/0", note="phantom")
    folder = case.result / "specimen_0001_dicom"
    for path in folder.glob("*.dcm"):
        path.unlink()
    made = {"saliency_map_1.dcm": parametric_map(values, evidence=evidence, model=model),
            "seg_1.dcm": segmentation({"flagged": values > 0.8}, evidence=evidence, model=model)}  # fmt: skip
    write_objects(made, folder)


def test_a_phantom_ct_is_dropped_and_scored_and_its_overlays_move(scans: Any, trained_ct: Any, opened: Any) -> None:
    seen = opened(scans)
    page = seen.go("/")
    page.set_input_files("#files", sorted((trained_ct.other / "studies").glob("*.zip"))[0])
    page.wait_for_selector("html[data-drop=whole]")
    assert page.locator("#list td").nth(2).inner_text() == "archive"
    page.select_option("#run", "run")
    page.click("#go")
    page.wait_for_url("**/cases/*")
    scans.finish()
    page.wait_for_selector(READY)
    assert page.locator(".score").count() == 1
    assert "95% interval" in page.locator("[data-verdict]").inner_text()
    assert seen.faults() == []

    case = scans.bench.cases.all()[0]
    lay_over(case)
    page.reload()
    page.wait_for_selector(READY)
    canvas = page.locator(".viewer canvas")
    slice_before = page.locator("[data-set=slice]").input_value()
    before = canvas.screenshot()
    page.fill("[data-overlay='saliency, opacity']", "0")
    page.wait_for_selector("[data-overlay='saliency, opacity 0']", state="attached")
    assert canvas.screenshot() != before
    page.fill("[data-overlay='saliency from']", "0.9")
    page.fill("[data-overlay='flagged region, opacity']", "1")
    page.fill("[data-set=slice]", "3")
    assert slice_before != "3"
    assert page.locator("[data-set=slice] + output").inner_text().startswith("3 of ")
    assert page.evaluate("document.querySelector('[data-volume]').viewer.nv.opts.isRadiologicalConvention") is True
    page.select_option("[data-set=view]", "multiplanar")
    page.select_option("[data-set=window]", "liver")
    assert seen.faults() == []

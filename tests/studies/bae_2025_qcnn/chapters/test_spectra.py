import shutil
from collections.abc import Callable
from pathlib import Path

from hepatica.cohort.atomic import write_json
from hepatica.report.chapters.quantification.spectra import FITS, section
from hepatica.report.page.blocks import Figure, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run, read_run

Sketch = Callable[[Path], Gallery]


def figures(run: Run, gallery: Gallery) -> list[Figure]:
    return [block for block in section(run, gallery, network="cCNN").blocks if isinstance(block, Figure)]


def test_fits_of_each_cohort_then_what_the_network_looks_at(study: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    found = figures(study, sketchbook(tmp_path))
    assert [each.caption for each in found[:2]] == [
        f"MAP fits, highest score first. {each.title}." for each in study.cohorts
    ]
    assert [len(each.panels) for each in found] == [4, 4] + [1] * 8
    scores = [float(panel.alt.split("score ")[1].split(",")[0]) for panel in found[0].panels]
    assert scores == sorted(scores, reverse=True)
    assert all("saliency" in each.caption for each in found[2:])


def test_a_cohort_without_fits_is_told(folder: Path, tmp_path: Path, sketchbook: Sketch) -> None:
    write_json(folder / FITS / "fits.json", [])
    shutil.rmtree(folder / "external" / "b" / FITS)
    run = read_run(folder, external=[folder / "external" / "b"])
    told = [
        block.text for block in section(run, sketchbook(tmp_path), network="cCNN").blocks if isinstance(block, Text)
    ]
    assert told[1:] == [f"No fit was drawn. {each.title}." for each in run.cohorts]

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from report_runs import seal_tables

from hepatica.cohort import RunError
from hepatica.cohort.atomic import read_json, write_json
from hepatica.cohort.digests import file_digest
from hepatica.cohort.seal import seal
from hepatica.evaluate.by_task import EVEN_ODDS
from hepatica.report import write_report
from hepatica.report.chapters import baseline
from hepatica.report.page.blocks import Table
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import read_run
from hepatica.report.page.wording import NONE

ANCHORS = [
    "summary", "flow", "applicability", "baseline", "missing", "published", "discrimination", "lead_time", "survival",
    "progression", "factors", "subgroups", "shift", "calibration", "treated", "treatment", "signatures", "localisation",
    "provenance", "checklist",
]  # fmt: skip


OF_DIAGNOSIS = [
    "summary", "flow", "applicability", "baseline", "missing", "published", "discrimination", "levels", "covariates",
    "subgroups", "shift", "calibration", "signatures", "localisation", "provenance", "checklist",
]  # fmt: skip

WITH_OTHER_WORDS = ("localisation", "provenance", "checklist")
"""Chapters that quote names of files, settings, or a checklist."""


class Page(HTMLParser):
    """Sections, addresses and captions of a page; fails on a tag closed out of turn."""

    VOID = ("meta", "img", "br", "hr", "link")

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.sections: dict[str, str] = {}
        self.addresses: list[str] = []
        self.captions: list[str] = []
        self.alts: list[str] = []
        self.open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "section":
            self.sections[str(given["id"])] = ""
        if tag in ("caption", "figcaption"):
            self.captions.append("")
        if tag == "img":
            self.alts.append(str(given["alt"]))
        self.addresses += [str(given[name]) for name in ("src", "href", "srcset", "action", "data") if name in given]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "section" in self.open:
            self.sections[list(self.sections)[-1]] += data
        if {"caption", "figcaption"} & set(self.open):
            self.captions[-1] += data


@pytest.fixture(scope="module")
def page(finished: Path) -> Page:
    return Page(finished / "report.html")


def test_the_page_has_every_section_in_the_order_of_a_paper(page: Page) -> None:
    assert list(page.sections) == ANCHORS


def test_the_page_asks_nobody_for_anything(page: Page, finished: Path) -> None:
    assert page.addresses
    assert all(re.match(r"(#|data:image/)", address) for address in page.addresses)
    text = finished.joinpath("report.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "@import" not in text
    assert "url(" not in text


def test_every_link_leads_to_a_section(page: Page) -> None:
    linked = {address.removeprefix("#") for address in page.addresses if address.startswith("#")}
    assert linked <= set(page.sections)


def test_phantom_stands_on_every_part_that_shows_a_number(page: Page) -> None:
    assert [name for name, text in page.sections.items() if "phantom" not in text.split("\n")[1]] == []
    assert [text for text in page.captions if "Phantom" not in text and "system file" not in text] == []
    assert [alt for alt in page.alts if "Phantom" not in alt] == []


def test_phantom_is_drawn_into_every_figure(finished: Path) -> None:
    svg = [path.read_text(encoding="utf-8") for path in (finished / "figures").glob("*.svg")]
    # Text is drawn as outlines, above which matplotlib leaves it as a comment.
    assert svg
    assert all("PHANTOM: synthetic patients" in each for each in svg)


def test_real_patients_are_not_called_phantoms(make_run: Any, sketches: None) -> None:
    run, external = make_run(phantom=False)
    text = write_report(run, external=external).read_text(encoding="utf-8")
    assert "phantom" not in text.lower().replace("phantoms", "")
    assert "phantom" not in (run / "card.md").read_text(encoding="utf-8").lower()


def test_figures_are_png_and_svg(finished: Path) -> None:
    figures = finished / "figures"
    names = {path.stem for path in figures.glob("*.svg")}
    assert names == {path.stem for path in figures.glob("*.png")}
    assert {"roc_internal", "pr_external_hospital_b", "flow_internal", "forest_internal"} <= names
    assert {"case_mix", "shift_course", "shift_scores", "stain_vectors", "stain_colours"} <= names
    assert {"subgroup_forest_internal", "subgroup_4_external_hospital_b"} <= names
    assert "recalibration_intercept_and_slope_external_hospital_b" in names
    assert {"kaplan_meier_recurrence_12_internal", "calibration_recurrence_24_internal"} <= names
    assert {"signatures_tsne_score", "signatures_pca_cohort", "treated_internal", "confusion_internal"} <= names
    assert {"progression_recurrence_12_internal", "treatment_low_internal", "interaction_internal"} <= names


def test_no_patient_is_named_anywhere(finished: Path) -> None:
    written = [finished / "report.html", finished / "card.md", *(finished / "figures").iterdir()]
    assert [path.name for path in written if b"SECRET" in path.read_bytes()] == []
    assert b"/private/somebody" not in (finished / "report.html").read_bytes()


def test_numbers_are_those_of_metrics_json(page: Page, finished: Path) -> None:
    for folder in (finished, finished / "external" / "hospital_b"):
        rows = [row for row in read_json(folder / "metrics.json") if row["metric"] == "auroc"]
        for row in rows:
            told = f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
            where = "treated" if row["fold"] == "set_aside" else "discrimination"
            at_the_end = row["target"] == "recurrence_final"  # of studies only
            if where == "discrimination" or row["target"] == "recurrence_12":
                assert (told in page.sections[where].replace("\N{NO-BREAK SPACE}", " ")) != at_the_end


def test_the_status_at_the_end_of_follow_up_is_for_studies(page: Page, finished: Path) -> None:
    """It was predicted and its statistics are in metrics.json, but it grows with follow-up."""
    whole = read_run(finished)
    assert [target.key for target in whole.targets] == ["recurrence_12", "recurrence_24", "recurrence_final"]
    assert whole.by_horizon.targets == whole.targets[:2]
    text = " ".join(page.sections.values()).replace("\N{NO-BREAK SPACE}", " ")
    assert "ecurrence at 24 months" in text
    assert "ecurrence at end of follow-up" not in text


def test_metrics_of_calls_are_found_at_their_cutoff(finished: Path) -> None:
    read = read_run(finished, external=[])
    target, rows = read.targets[0], read_json(finished / "metrics.json")
    for cutoff in (EVEN_ODDS, read.cutoffs[target.key]):
        at = {"fold": "test", "target": target.key, "metric": "accuracy", "cutoff": cutoff}
        [row] = [row for row in rows if at.items() <= row.items()]
        assert read.internal.metric("accuracy", target, cutoff=cutoff)["value"] == row["value"]
    [auroc] = [
        row for row in rows if row["metric"] == "auroc" and row["fold"] == "test" and row["target"] == target.key
    ]
    assert auroc["cutoff"] is None
    assert read.internal.metric("auroc", target)["value"] == auroc["value"]


def test_patients_without_a_score_are_counted_only_where_they_leave(page: Page, finished: Path) -> None:
    # 90 patients a cohort, none of whose specimens can be used in two.
    folds = pd.read_parquet(finished / "patients.parquet")["fold"]
    assert (folds == "not_scored").sum() == 2
    assert f"applied to {(folds == 'test').sum()} patients of Hospital A" in page.sections["summary"]
    counts = re.findall(r"\(n\s=\s(\d+)\)", page.sections["baseline"])
    assert sum(map(int, counts)) == 2 * 88
    flows = [alt for alt in page.alts if "Flow of" in alt]
    assert len(flows) == 2
    assert all("with a specimen 90, with a usable specimen 88" in alt and "not_scored" not in alt for alt in flows)


def test_set_aside_is_explained_once(page: Page) -> None:
    assert len([text for text in page.captions if "excludes from training" in text]) == 1


def test_curves_of_recurrence_speak_of_the_deaths_they_leave_out(page: Page) -> None:
    told = [name for name, text in page.sections.items() if "competing risk" in text]
    assert told == ["survival", "subgroups", "shift", "treated", "treatment"]


def test_settings_without_a_value_are_shown(page: Page) -> None:
    assert re.search(rf"tiles per specimen\s*{NONE}\s*{NONE}", page.sections["provenance"])


def test_the_papers_numbers_stand_in_columns_of_their_own(page: Page) -> None:
    text = page.sections["published"]
    assert "Reported by the paper on its own patients" in text
    assert "0.818" in text
    assert "0.713" in text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"external": False, "explained": False, "treated": False},
            {
                "summary": "no external cohort",
                "shift": "no external cohort to compare",
                "localisation": "hepatica explain has not been run",
                "treated": "No treated patients were set aside",
                "treatment": "no treatment to compare",
            },
        ),
        (
            {"covariates": False, "treated": False},
            {
                "shift": "no covariate by which",
                "subgroups": "subgroups of its patients could be formed",
                "baseline": "no covariates",
            },
        ),
        (
            {"events": False, "stained": False},
            {
                "shift": "No stains were estimated",
                "calibration": "an update cannot be judged",
                "treatment": "cannot be said here",
                "survival": "not computable",
                "factors": "not fitted",
            },
        ),
    ],
)
def test_what_is_absent_is_told(make_run: Any, sketches: None, change: dict[str, Any], told: dict[str, str]) -> None:
    run, external = make_run(**change)
    page = Page(write_report(run, external=external))
    assert set(page.sections) <= set(ANCHORS)
    for anchor, words in told.items():
        assert words in page.sections[anchor if anchor in page.sections else "flow"], anchor


def test_the_same_tables_give_the_same_page(copied: tuple[Path, list[Path]], sketches: None) -> None:
    run, external = copied
    pages = [write_report(run, external=external).read_bytes() for _ in range(2)]
    assert pages[0] == pages[1]
    digest = file_digest(run / "model.json")
    assert digest in pages[0].decode()
    assert digest in (run / "card.md").read_text(encoding="utf-8")


def test_results_of_another_model_are_refused(copied: tuple[Path, list[Path]]) -> None:
    run, external = copied
    cohort = read_json(external[0] / "cohort.json")
    write_json(external[0] / "cohort.json", cohort | {"model": "e" * 64})
    seal_tables(external[0])
    with pytest.raises(RunError, match="results of another model"):
        write_report(run, external=external)


@pytest.mark.parametrize("name", ["settings.toml", "model.safetensors", "cutoffs.json"])
def test_a_model_changed_after_it_was_locked_is_refused(copied: tuple[Path, list[Path]], name: str) -> None:
    run, external = copied
    (run / name).write_bytes((run / name).read_bytes() + b"\n")
    with pytest.raises(RunError, match=rf"{name} is missing or was changed"):
        write_report(run, external=external)


@pytest.mark.parametrize("place", ["", "external/hospital_b"])
@pytest.mark.parametrize("name", ["metrics.json", "predictions.parquet", "regions.parquet", "explained/explained.json"])
def test_an_edited_table_is_refused_by_name(copied: tuple[Path, list[Path]], place: str, name: str) -> None:
    run, external = copied
    path = run / place / name
    path.write_bytes(path.read_bytes().replace(b"1", b"2"))
    with pytest.raises(RunError, match=rf"{path} was changed after it was written"):
        write_report(run, external=external)


def test_a_model_edited_with_its_digest_is_that_of_no_results(copied: tuple[Path, list[Path]]) -> None:
    run, external = copied
    (run / "model.json").write_text((run / "model.json").read_text() + "\n")
    with pytest.raises(RunError, match=r"model\.json is missing or was changed"):
        write_report(run, external=external)
    seal(run / "model.json")
    with pytest.raises(RunError, match="results of another model"):
        write_report(run, external=external)


def test_another_hospital_may_name_its_columns_otherwise(
    page: Page, copied: tuple[Path, list[Path]], sketches: None
) -> None:
    """The same endpoint in other columns, and a covariate that is a number here and a word there."""
    run, external = copied
    before = page.sections
    names = {"recurrence_months": "rfs_t", "recurrence_event": "rfs_e"}
    patients = pd.read_parquet(external[0] / "patients.parquet").rename(columns=names)
    patients.assign(vascular_invasion=patients["vascular_invasion"].map({0: "no", 1: "yes"})).to_parquet(
        external[0] / "patients.parquet"
    )
    cohort = read_json(external[0] / "cohort.json")
    cohort["endpoints"]["recurrence"] = {"time": "rfs_t", "event": "rfs_e"}
    write_json(external[0] / "cohort.json", cohort)
    seal_tables(external[0])
    after = Page(write_report(run, external=external)).sections
    assert after["discrimination"] == before["discrimination"]
    assert after["calibration"] == before["calibration"]
    assert "rfs" not in " ".join(after.values())


def test_an_unfinished_run_is_refused(copied: tuple[Path, list[Path]]) -> None:
    run, _ = copied
    (run / "metrics.json").unlink()
    with pytest.raises(RunError, match=r"lacks metrics\.json"):
        write_report(run)
    (run / "model.json").unlink()
    with pytest.raises(RunError, match="no locked model"):
        write_report(run)


def test_one_class_at_a_horizon_is_told_and_a_name_cannot_write_into_the_page(
    copied: tuple[Path, list[Path]], sketches: None
) -> None:
    run, external = copied
    cohort = read_json(run / "cohort.json")
    write_json(run / "cohort.json", cohort | {"name": "<script>alert(1)</script>"})
    patients = pd.read_parquet(run / "patients.parquet")
    held_out = patients["fold"] == "test"
    patients["recurrence_event"] = np.where(held_out, 1, patients["recurrence_event"])
    patients["recurrence_months"] = np.where(
        held_out, patients["recurrence_months"] / 100, patients["recurrence_months"]
    )
    patients.to_parquet(run / "patients.parquet")
    seal_tables(run)
    written = write_report(run, external=external)
    assert "<script" not in written.read_text(encoding="utf-8")
    page = Page(written)
    assert "29 with and 0 without recurrence at 12 months" in page.sections["summary"]


def test_a_diagnosis_has_no_chapter_of_follow_up(diagnosed: Path, tmp_path: Path, sketches: None) -> None:
    run = tmp_path / "run"
    shutil.copytree(diagnosed, run)
    page = Page(write_report(run, external=[run / "external" / "hospital_b"]))
    assert list(page.sections) == OF_DIAGNOSIS
    assert {address.removeprefix("#") for address in page.addresses if address.startswith("#")} <= set(page.sections)
    report = " ".join(text for name, text in page.sections.items() if name not in WITH_OTHER_WORDS).lower()
    for word in ("event", "follow-up", "censored", "kaplan", "hazard", "c-index", "recurrence", " tile", "stains"):
        assert word not in report.replace("patients with the event (boyd)", ""), word
    assert "hcc" not in " ".join(page.sections[name] for name in ("summary", "discrimination", "calibration"))


def test_a_diagnosis_is_quoted_at_the_locked_cutoff(diagnosed: Path, tmp_path: Path, sketches: None) -> None:
    run = tmp_path / "run"
    shutil.copytree(diagnosed, run)
    page = Page(write_report(run))
    cutoff = read_json(run / "cutoffs.json")["hcc"]
    at = {"fold": "test", "metric": "sensitivity", "cutoff": cutoff}
    [row] = [row for row in read_json(run / "metrics.json") if at.items() <= row.items()]
    told = f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
    assert told in page.sections["summary"].replace("\N{NO-BREAK SPACE}", " ")
    card = (run / "card.md").read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")
    assert f"| Sensitivity (recall), HCC | {told} |" in card
    assert "higher means more likely" in card


def test_patients_of_a_diagnosis_stand_in_table_1_with_and_without_it(diagnosed: Path, sketches: None) -> None:
    run = read_run(diagnosed, external=[])
    table = baseline.section(run, Gallery(diagnosed, phantom=True)).blocks[0]
    assert isinstance(table, Table)
    counts = {name.rsplit(" (n", 1)[0]: int(re.findall(r"\d+", name)[-1]) for name in table.header[1:]}
    assert list(counts) == [
        "Training and tuning, HCC",
        "Training and tuning, no HCC",
        "Internal test: Hospital A, HCC",
        "Internal test: Hospital A, no HCC",
    ]
    patients = run.internal.patients
    assert counts["Internal test: Hospital A, HCC"] == (patients.query("fold == 'test'")["hcc"] == 1).sum()
    assert sum(counts.values()) == patients["hcc"].notna().sum()
    [kind] = [row for row in table.rows if row[0].endswith("HCC")]
    assert [cell.split("\N{NO-BREAK SPACE}")[-1] for cell in kind[1:5]] == ["(100%)", "(0%)", "(100%)", "(0%)"]

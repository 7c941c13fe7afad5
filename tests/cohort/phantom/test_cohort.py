"""Cohort: a folder of phantom patients as one instrument or several show them, made once, the same bytes again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hepatica.cohort import CohortError, SettingsError, load_cohort
from hepatica.cohort.atomic import read_json
from hepatica.cohort.phantom import (
    CIRRHOSIS,
    POPULATIONS,
    RESECTED,
    SURVEILLANCE,
    SUSPECTED,
    Job,
    Patient,
    Population,
    Recipe,
    Renderer,
    phantom_cohort,
    phantom_tables,
)
from hepatica.cohort.phantom.lesion import TYPES
from hepatica.pathology.phantom import PhantomSettings as SlideSettings
from hepatica.pathology.phantom import Slides
from hepatica.radiology.phantom import CT
from hepatica.radiology.phantom import PhantomSettings as CtSettings
from hepatica.spectroscopy.phantom import PhantomSettings as SpectraSettings
from hepatica.spectroscopy.phantom import Spectra


@dataclass(frozen=True, kw_only=True)
class Notes(Renderer):
    """A text of each image of each patient with HCC, and one more of the first image."""

    modality, root, suffix, code, made = "note", "notes", ".txt", "N", "notes"
    population = SUSPECTED
    hospitals = ("A", "B")
    read = True
    settings: int = 2

    @property
    def images(self) -> int:
        return self.settings

    def shows(self, patient: Patient, *, population: Population) -> bool:
        return patient.tumour.hcc

    def attached(self, patients: Sequence[Patient], stems: Sequence[str], *, recipe: Recipe) -> dict[str, list[str]]:
        return {"water": [f"{stem}_more.txt" if not row % self.images else "" for row, stem in enumerate(stems)]}

    def check(self) -> None:
        if self.settings < 1:
            raise SettingsError("wanted an image")

    def begin(self, recipe: Recipe) -> Callable[[Job], Mapping[str, float]]:
        def write(job: Job) -> Mapping[str, float]:
            for path in job.files.values():
                path.parent.mkdir(parents=True, exist_ok=True)
                if not path.exists():
                    path.write_text(f"{job.patient.tumour.aggressiveness} {job.image} {path.name}")
            return {f"written_{self.root}": float(job.patient.number)}

        return write


class Letters(Notes):
    """The same of all patients."""

    modality, root, code = "letter", "letters", "L"

    def shows(self, patient: Patient, *, population: Population) -> bool:
        return True


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def make(folder: Path, *renderers: Renderer, **wishes: Any) -> Path:
    return phantom_cohort(folder, renderers=renderers or (Notes(),), **({"patients": 6, "seed": 5} | wishes))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("phantom") / "A")


def test_the_cohort_loads(folder: Path) -> None:
    cohort = load_cohort(folder)
    assert (cohort.name, cohort.hospital, cohort.phantom) == ("phantom_A", "A", True)
    assert set(cohort.endpoints) == {"hcc"}
    assert list(cohort.patients.index) == [f"A-000{number}" for number in range(1, 7)]
    assert len(cohort.specimens) == 6
    assert {each.patient_id for each in cohort.specimens} == set(cohort.patients.index[cohort.patients.hcc == 1])


def test_the_head_says_phantom_and_where_the_truth_is(folder: Path) -> None:
    notes = load_cohort(folder).notes
    assert "simulated patients and notes" in notes
    assert "truth.csv, lesions_truth.csv, truth.json; no model may read it" in notes


def test_the_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    assert content(make(tmp_path / "again")) == content(folder)


def test_several_instruments_show_the_same_patients(folder: Path, tmp_path: Path) -> None:
    both = make(tmp_path / "both", Notes(), Letters())
    for name in ("patients.csv", "readers.csv", "lesions_truth.csv"):
        assert (both / name).read_bytes() == (folder / name).read_bytes()
    assert {each.name: each.read_bytes() for each in (both / "notes").iterdir()} == {
        each.name: each.read_bytes() for each in (folder / "notes").iterdir()
    }
    cohort = load_cohort(both)
    assert pd.Series([each.modality for each in cohort.specimens]).value_counts().to_dict() == {"letter": 12, "note": 6}
    assert {each.path.parent.name for each in cohort.specimens} == {"letters", "notes"}


def test_any_instrument_shows_any_population(tmp_path: Path) -> None:
    cohort = load_cohort(make(tmp_path / "new", Letters(), population=RESECTED))
    assert set(cohort.endpoints) == {"recurrence", "overall_survival"}
    assert not (tmp_path / "new" / "readers.csv").exists()  # all have HCC: there is nothing to read


def test_a_cohort_that_tells_all_has_full_columns_of_its_endpoints_alone(tmp_path: Path) -> None:
    cohort = load_cohort(make(tmp_path / "new", Letters(), endpoints="all", patients=40))
    table = cohort.patients
    assert set(cohort.endpoints) == {*SUSPECTED.usual, *SUSPECTED.further}
    assert set(table.lesion_type.dropna()) <= set(TYPES)
    assert set(cohort.tables) == {"visits", "claims", "expression", "blood", "mirna", "methylation", "mutations"}
    assert table.overall_survival_months.notna().all()
    assert not {"recurrence_months", "incidence_event"} & set(table.columns)
    assert {"afp_ng_ml", "grade", "response", "stiffness_kpa"} <= set(table.columns)


def test_file_names_say_nothing_of_patients_or_their_order(folder: Path) -> None:
    names = pd.read_csv(folder / "specimens.csv", dtype=str).path
    assert sorted(names) == [f"{number:04d}.txt" for number in range(1, 7)]
    assert list(names) != sorted(names)


def test_the_truth_stays_out_of_the_tables(folder: Path) -> None:
    told, truth = (set(pd.read_csv(folder / name).columns) for name in ("patients.csv", "truth.csv"))
    assert {"aggressiveness", "corrupted", "recurrence_months_uncorrupted", "written_notes"} <= truth - told
    made = read_json(folder / "truth.json")
    assert (made["seed"], made["difficulty"], made["patients"]) == (5, 0.5, 6)
    assert made["settings"] == {"notes": 2}
    assert made["population"]["metavir_hcc"] == list(SUSPECTED.metavir_hcc)


def test_a_stopped_call_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    made = make(tmp_path / "new")
    before = content(made)
    times = {path: path.stat().st_mtime_ns for path in (made / "notes").iterdir()}
    lost = made / "notes" / "0003.txt"
    lost.unlink()
    (made / "cohort.toml").unlink()
    make(made)
    assert content(made) == before
    assert all(path.stat().st_mtime_ns == time for path, time in times.items() if path != lost)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 6}, "seed"),
        ({"difficulty": 0.25}, "difficulty"),
        ({"patients": 5}, "patients"),
        ({"population": replace(SUSPECTED, age_sd=1.0)}, "population"),
        ({"renderers": (Notes(settings=1),)}, "settings"),
    ],
)
def test_another_cohort_in_the_same_folder_is_refused(folder: Path, change: dict[str, Any], named: str) -> None:
    before = content(folder)
    with pytest.raises(CohortError, match=f"made with another {named}"):
        phantom_cohort(folder, **({"renderers": (Notes(),), "patients": 6, "seed": 5} | change))
    assert content(folder) == before


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text("patient_id\nreal\n")
    with pytest.raises(CohortError, match="not empty"):
        make(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["patients.csv"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"patients": 0}, "1 or more"),
        ({"difficulty": 1.5}, "0 \\(easy\\) to 1"),
        ({"hospital": "C"}, "one of A, B"),
        ({"renderers": (Notes(settings=0),)}, "wanted an image"),
        ({"population": SURVEILLANCE}, "nothing to show"),
    ],
)
def test_impossible_wishes_are_refused(tmp_path: Path, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        phantom_cohort(tmp_path / "new", **({"renderers": (Notes(),), "patients": 6} | wrong))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", POPULATIONS)
def test_patients_without_specimens_have_tables(name: str, tmp_path: Path) -> None:
    wishes = {"patients": 20, "seed": 5, "population": POPULATIONS[name]}
    made = phantom_tables(tmp_path / "new", **wishes)
    cohort = load_cohort(made)
    assert set(cohort.endpoints) == {*POPULATIONS[name].usual, *POPULATIONS[name].further}
    assert not cohort.specimens
    assert {*cohort.table("visits").patient_id} == {*cohort.table("expression").patient_id} == {*cohort.patients.index}
    assert cohort.last("visits", column="afp_ng_ml").notna().all()
    assert content(phantom_tables(tmp_path / "again", **wishes)) == content(made)


def test_real_instruments_show_one_patient(tmp_path: Path) -> None:
    renderers = {
        "studies": CT(settings=CtSettings(matrix=64, slices=6)),
        "spectra": Spectra(settings=SpectraSettings(points=512, transients=2, water_transients=1)),
        "slides": Slides(settings=SlideSettings(side=256, images=1)),
    }
    wishes = {"patients": 3, "population": CIRRHOSIS}
    fused = make(tmp_path / "fused", *renderers.values(), **wishes)
    cohort = load_cohort(fused)
    ill = cohort.patients.hcc == 1
    shown = pd.DataFrame([vars(each) for each in cohort.specimens]).groupby("modality").patient_id.agg(list)
    assert list(shown["slide"]) == list(cohort.patients.index[ill])
    assert list(shown["ct"]) == list(shown["spectrum"]) == list(cohort.patients.index)
    truth = pd.read_csv(fused / "truth.csv")
    for root, renderer in renderers.items():
        alone = make(tmp_path / root, renderer, **wishes)
        assert (alone / "patients.csv").read_bytes() == (fused / "patients.csv").read_bytes()
        latent = pd.read_csv(alone / "truth.csv")
        pd.testing.assert_frame_equal(latent, truth[latent.columns])
        names = sorted(path.name for path in (fused / root).iterdir())
        assert names == sorted(path.name for path in (alone / root).iterdir())
        if root != "studies":  # DICOM's unique identifiers name the whole cohort
            assert content(alone / root) == content(fused / root)

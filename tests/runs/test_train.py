"""Train: resumes to the same end, does nothing twice, refuses what is not its own."""

import shutil
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from hepatica.cohort import CohortError, RunError, Split, load_cohort, read_predictions
from hepatica.cohort.atomic import _HOST, read_json, write_json
from hepatica.protocol import override
from hepatica.runs import open_run, train
from hepatica.runs.folder import RunFolder, start_run
from hepatica.runs.in_use import in_use
from hepatica.runs.lock import keyed, patient_digest, refuse_shared_files
from hepatica.runs.train import _caution

DEAD = 2**22 + 1  # no process has that number

TRAIN = """
import sys
from pathlib import Path
from hepatica.runs import train
from hepatica.systems import find_system
system = find_system("li_2025_cnn_sasm")
cohort, run, prepared = map(Path, sys.argv[1:])
train(system, cohort, run=run, settings=system.shortest_quick, prepared=prepared)
"""


def train_and_kill(cohort: Path, run: Path, *, prepared: Path, once: str) -> None:
    """Start the training in a process of its own and kill it with -9 as soon as a file of that pattern is there."""
    process = subprocess.Popen([sys.executable, "-c", TRAIN, cohort, run, prepared])
    while process.poll() is None and not list(run.glob(once)):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (run / "metrics.json").exists()


def test_killed_training_ends_with_the_same_predictions(trained, tmp_path: Path) -> None:
    """Killed in the training alone: preparation that is killed is that of each room's own tests."""
    run, prepared = tmp_path / "run", trained.run / "prepared"
    for once in ("work/stage_1/unfinished.safetensors", "work/stage_2_*/fit.json"):
        train_and_kill(trained.cohort, run, prepared=prepared, once=once)
    train(trained.system, trained.cohort, run=run, settings=trained.settings, prepared=prepared)
    first, second = (read_predictions(each / "predictions.parquet") for each in (trained.run, run))
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert read_json(run / "cutoffs.json") == read_json(trained.run / "cutoffs.json")


def test_a_folder_in_use_is_refused_before_anything_is_written(trained) -> None:
    with in_use(trained.run), pytest.raises(RunError, match=r"in use by another process \(process \d+ on .*wait"):
        train(trained.system, trained.cohort, run=trained.run, settings=trained.settings)


def test_finished_training_is_left_alone(trained) -> None:
    before = {path: path.stat().st_mtime_ns for path in trained.run.rglob("*") if path.is_file()}
    train(trained.system, trained.cohort, run=trained.run, settings=trained.settings)
    assert before == {path: path.stat().st_mtime_ns for path in trained.run.rglob("*") if path.is_file()}


def test_test_patients_are_locked_and_unseen(trained) -> None:
    split = Split.read(trained.run / "splits.csv")
    patients = pd.read_parquet(trained.run / "patients.parquet")
    assert set(patients.index[patients["fold"] == "test"]) == set(split.test)
    assert (patients.loc[patients["fold"] == "set_aside", "treatment"] == "sorafenib").all()
    assert (patients.loc[list(split.train), "treatment"] == "none").all()
    assert len(open_run(trained.run).seen) == len(split.train) + len(split.validation)


def test_specimens_are_told_with_their_stains(trained) -> None:
    specimens = pd.read_parquet(trained.run / "specimens.parquet")
    scored = read_predictions(trained.run / "predictions.parquet")["specimen_id"].dropna()
    assert set(specimens["specimen_id"]) == set(scored)
    assert (specimens[["haematoxylin_peak", "eosin_peak"]] > 0).all().all()


def test_nothing_of_test_patients_reaches_the_model(trained, tmp_path: Path) -> None:
    """Other follow-up of the test patients, of the same final status, must leave every weight and cut-off as it was."""
    split = Split.read(trained.run / "splits.csv")
    locked = open_run(trained.run)
    assert not locked.seen & {patient_digest("A", patient) for patient in split.test}
    cohort = shutil.copytree(trained.cohort, tmp_path / "cohort")
    table = pd.read_csv(cohort / "patients.csv", keep_default_na=False)
    tested = table["patient_id"].isin(split.test)
    for column in ("recurrence_months", "overall_survival_months", "afp_ng_ml"):
        table.loc[tested, column] = 1.5
    table.to_csv(cohort / "patients.csv", index=False)
    prepared = trained.run / "prepared"
    train(trained.system, cohort, run=tmp_path / "run", settings=trained.settings, prepared=prepared)
    assert Split.read(tmp_path / "run" / "splits.csv") == split
    for name in ("model.safetensors", "cutoffs.json"):
        assert (tmp_path / "run" / name).read_bytes() == (trained.run / name).read_bytes()


def test_training_patients_cannot_be_called_test_patients_afterwards(trained, tmp_path: Path) -> None:
    run = shutil.copytree(trained.run, tmp_path / "run")
    (run / "splits.csv").write_text((run / "splits.csv").read_text().replace(",train", ",test"))
    (run / "metrics.json").unlink()
    with pytest.raises(RunError, match=r"splits\.csv"):
        train(trained.system, trained.cohort, run=run, settings=trained.settings)


def test_one_file_under_two_patients_is_refused(trained, tmp_path: Path) -> None:
    cohort = shutil.copytree(trained.cohort, tmp_path / "cohort")
    table = pd.read_csv(cohort / "specimens.csv")
    first, other = table["path"][0], table.loc[table["patient_id"] != table["patient_id"][0], "path"].iloc[0]
    shutil.copy(cohort / "slides" / first, cohort / "slides" / other)
    prepared = tmp_path / "prepared"
    with pytest.raises(CohortError, match=r"specimens.csv rows 2, \d+: .* under two patients"):
        train(trained.system, cohort, run=tmp_path / "run", settings=trained.settings, prepared=prepared)
    assert not prepared.exists()  # before hours of work


def test_regions_of_one_slide_that_overlap_under_two_patients_are_refused(trained, tmp_path: Path) -> None:
    """Two that do not, such as two cores, are not: the training then has another fault."""
    cohort = shutil.copytree(trained.cohort, tmp_path / "cohort")
    table = pd.read_csv(cohort / "specimens.csv").drop_duplicates("patient_id").assign(region="", region_class="")
    table.loc[table.index[1], "path"] = table["path"].iloc[0]
    table.loc[table.index[:2], "region"] = "regions.geojson"
    squares = {"a": 0, "b": 100, "c": 256}
    write_json(
        cohort / "slides" / "regions.geojson",
        [
            {"geometry": {"type": "Polygon", "coordinates": [[[x, 0], [x + 256, 0], [x + 256, 512], [x, 512]]]},
             "properties": {"name": name}}
            for name, x in squares.items()
        ],
    )  # fmt: skip
    for other, overlap in (("b", True), ("c", False)):
        table.loc[table.index[:2], "region_class"] = ["a", other]
        table.to_csv(cohort / "specimens.csv", index=False)
        found = load_cohort(cohort)
        read = keyed(trained.system.prepare(found, trained.settings, trained.run / "prepared"))
        with pytest.raises(CohortError, match=r"rows 2, 3: .*overlap") if overlap else nullcontext():
            refuse_shared_files(read, found)


def test_a_specimen_replaced_between_two_stages_or_after_the_training_is_refused(trained, tmp_path: Path) -> None:
    """Else the second stage would learn another slide than the first, or old results pass for those of the new one."""
    cohort, run = shutil.copytree(trained.cohort, tmp_path / "cohort"), shutil.copytree(trained.run, tmp_path / "run")
    slides = [cohort / "slides" / name for name in pd.read_csv(cohort / "specimens.csv")["path"]]
    with slides[3].open("r+b") as slide:
        slide.seek(5000)
        slide.write(b"other")
    for stage in ("after the training", "between two stages"):
        with pytest.raises(RunError, match=r"specimens.csv row 5: files were replaced since the training began"):
            train(trained.system, cohort, run=run, settings=trained.settings)
        if stage == "after the training":
            for path in [run / "model.json", run / "metrics.json", *run.glob("work/stage_2*")]:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_cohort_without_an_endpoint_training_needs_is_refused_before_any_work(trained, tmp_path: Path) -> None:
    settings = override(trained.settings, {"survival": "liver_death"})
    with pytest.raises(CohortError, match="liver_death"):
        train(trained.system, trained.cohort, run=tmp_path / "run", settings=settings)
    assert not (tmp_path / "run" / "prepared").exists()


def test_cutoff_is_the_median_of_training_patients(trained) -> None:
    table = read_predictions(trained.run / "predictions.parquet")
    cutoffs = read_json(trained.run / "cutoffs.json")
    rows = table[table["specimen_id"].isna() & (table["fold"] == "train") & (table["horizon_months"] == 12)]
    assert cutoffs["recurrence_12"] == pytest.approx(rows["score"].median(), abs=1e-6)


def test_patient_score_is_the_mean_of_his_images(trained) -> None:
    table = read_predictions(trained.run / "predictions.parquet")
    final = table[table["horizon_months"].isna()]
    images = final[final["specimen_id"].notna()].groupby("patient_id")["score"].mean()
    patients = final[final["specimen_id"].isna()].set_index("patient_id")["score"]
    pd.testing.assert_series_equal(images, patients.sort_index(), check_exact=False)


def test_other_settings_are_refused_in_the_same_folder(trained) -> None:
    other = override(trained.settings, {"epochs": 3})
    with pytest.raises(RunError, match="epochs = 2, not 3"):
        train(trained.system, trained.cohort, run=trained.run, settings=other)


def test_changed_cohort_tables_are_refused(trained, tmp_path: Path) -> None:
    changed = shutil.copytree(trained.cohort, tmp_path / "cohort")
    with (changed / "patients.csv").open("a") as file:
        file.write("\n")
    with pytest.raises(RunError, match="have changed"):
        train(trained.system, changed, run=trained.run, settings=trained.settings)


def test_folder_with_something_else_is_refused(trained, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="not empty"):
        train(trained.system, trained.cohort, run=tmp_path, settings=trained.settings)


def test_a_folder_in_which_shares_prepared_specimens_becomes_a_run(trained, tmp_path: Path) -> None:
    (tmp_path / "prepared" / "ledger").mkdir(parents=True)
    own = {"reference": trained.system.name, "system": trained.system, "settings": trained.settings}
    with in_use(tmp_path):
        start_run(RunFolder(tmp_path), cohort=load_cohort(trained.cohort), **own)
    assert (tmp_path / "settings.toml").exists()


def test_run_killed_while_its_first_file_was_written_starts_anew(trained, tmp_path: Path) -> None:
    left = tmp_path / f".settings.{_HOST}-{DEAD}-01234567.part.toml"
    left.write_text('system = "li')
    cohort = load_cohort(trained.cohort)
    with in_use(tmp_path):
        start_run(
            RunFolder(tmp_path),
            reference=trained.system.name,
            system=trained.system,
            settings=trained.settings,
            cohort=cohort,
        )
    assert not left.exists()
    assert (tmp_path / "settings.toml").exists()


def test_cohort_with_nobody_to_train_on_is_refused(trained, tmp_path: Path) -> None:
    settings = override(trained.settings, {"untreated": "nothing of the kind"})
    with pytest.raises(CohortError, match="on whom"):
        train(trained.system, trained.cohort, run=tmp_path / "run", settings=settings)


def test_one_class_is_refused_before_any_work(trained, tmp_path: Path) -> None:
    cohort = shutil.copytree(trained.cohort, tmp_path / "cohort")
    table = pd.read_csv(cohort / "patients.csv", keep_default_na=False)
    table.assign(recurrence_event=0).to_csv(cohort / "patients.csv", index=False)
    with pytest.raises(CohortError, match="class"):
        train(trained.system, cohort, run=tmp_path / "run", settings=trained.settings)
    assert not (tmp_path / "run" / "prepared").exists()


def test_no_identifier_in_names_or_logs(trained) -> None:
    ids = set(pd.read_parquet(trained.run / "patients.parquet").index)
    names = " ".join(path.name for path in trained.run.rglob("*"))
    log = (trained.run / "log.jsonl").read_text() + (trained.run / "cohort.json").read_text()
    model = (trained.run / "model.json").read_text()
    assert not [each for each in ids if each in names + log + model]


def test_few_training_patients_are_a_caution_beside_that_of_the_system() -> None:
    """Nine of 23 training patients have the event; a tenth one is for the test."""
    label = pd.Series([1.0] * 9 + [0.0] * 14 + [1.0], index=[f"P{n}" for n in range(24)])
    split = SimpleNamespace(train=tuple(label.index[:23]))
    task = SimpleNamespace(strata=lambda cohort: label, endpoint="overall_survival")
    training = SimpleNamespace(task=task, cohort=None, split=split)
    few = "trained on 23 patients, only 9 of them of the rarer outcome of overall survival: from fewer than 10"
    assert _caution(training, None)["caution"].startswith(few)
    assert _caution(training, "no subtypes")["caution"].startswith(f"no subtypes; {few}")
    split.train = tuple(label.index)
    assert _caution(training, None) == {}
    assert _caution(training, "no subtypes") == {"caution": "no subtypes"}

"""Quantify: real files give what LCModel gave, phantoms their truth, bad files a reason, and no name is printed."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import RunError, SettingsError, SpecimenError, class_scores, read_predictions, targets
from hepatica.runs import quantify as runs_quantify
from hepatica.runs.engine import Engine, Shared
from hepatica.runs.quantified import Quantification, quantified
from hepatica.runs.quantify import IDS, quantify
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.basis.lcmodel_basis import write_lcmodel_basis
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.quantities import Method
from hepatica.spectroscopy.phantom import phantom_spectra
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.reading.coord import read_coord
from hepatica.spectroscopy.reading.nifti_mrs import read_nifti_mrs, write_nifti_mrs
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.header import Header

BRAIN = Quantification(brain=True)

TRIGLYCERIDE_PROTONS, WATER_PROTONS_MM = 102.86, 82_800.0
"""Of priors.toml, [fat]."""


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four phantom patients, HCC plain to see."""
    return phantom_spectra(tmp_path_factory.mktemp("phantom") / "cohort", patients=4, seed=3, difficulty=0.0)


def files(cohort: Path, row: int = 0) -> tuple[Path, Path]:
    """A spectrum of the cohort and its water."""
    specimen = pd.read_csv(cohort / "specimens.csv").iloc[row]
    return cohort / "spectra" / specimen["path"], cohort / "spectra" / specimen["water"]


def found_by(quantities: pd.DataFrame, column: str = "value") -> "pd.Series[float]":
    return quantities.set_index("target")[column]


def table_of(path: Path, out: Path, *, settings: Quantification = BRAIN, water: Path | None = None) -> pd.DataFrame:
    return quantify([path], out=out, settings=settings, water=water)[0]


def test_the_real_liver_has_lcmodel_s_lipids_and_choline(real_spectra: Path, tmp_path: Path) -> None:
    """liver.COORD of suspect's test data: Lip13 within 10 % of all lipids, Lip16 and Lip21 25 %, Cho 2 of its SD."""
    path = real_spectra / "coord/liver.COORD"
    found = table_of(path, tmp_path / "out", settings=Quantification())
    table = read_coord(path).table
    value, lipids = found_by(found), table[table.index.isin(["Lip13", "Lip09", "Lip16", "Lip21", "Lip23", "Lip28"])]
    share = value["Lip13"] / value[value.index.str.startswith("Lip")].sum()
    assert share == pytest.approx(table.loc["Lip13", "concentration"] / lipids["concentration"].sum(), rel=0.10)
    for name in ("Lip16", "Lip21"):
        assert value[name] == pytest.approx(table.loc[name, "concentration"], rel=0.25)
    cho = table.loc["Cho"]
    assert value["Cho"] == pytest.approx(cho["concentration"], abs=2 * cho["sd_percent"] / 100 * cho["concentration"])
    assert (tmp_path / "out" / "specimen_0001_fit.png").stat().st_size > 10_000
    assert not (tmp_path / "out" / "specimen_0001.nii.gz").exists()


def test_lcmodel_s_own_test_comes_out(
    real_spectra: Path, published: Callable[[Path], dict[str, tuple[float, float, float]]]
) -> None:
    """Rows of out_ref_build.ps of a CRLB below 20 %, within 2 of LCModel's standard deviations."""
    folder = real_spectra / "lcmodel"
    overrides = Header(f0_mhz=127.786142, bandwidth_hz=2000.0, te_ms=30.0)
    settings = Quantification(brain=True, basis=folder / "3t.basis", header_overrides=overrides)
    found = quantified(folder / "data.raw", water=None, settings=settings).quantities
    value = dict(
        zip(found.names, found.concentration[0], strict=True)
    )  # as found, reported or not, so that sums add up
    away = {
        name: (sum(value[part] for part in name.split("+")) - concentration) / (percent / 100 * concentration)
        for name, (concentration, percent, _) in published(folder / "out_ref_build.ps").items()
        if percent < 20 and set(name.split("+")) <= set(value)
    }
    assert len(away) == 17
    assert max(np.abs(list(away.values()))) < 2, away


def test_one_measurement_of_siemens_in_two_formats_says_one_thing(real_spectra: Path, tmp_path: Path) -> None:
    """Within a third of a standard deviation."""
    tables = [table_of(real_spectra / f"siemens/SVS_30.{name}", tmp_path / name) for name in ("rda", "IMA")]
    one, other = (found_by(table) for table in tables)
    away = (one - other).abs() / found_by(tables[0], "sd")
    assert one.notna().equals(other.notna())
    assert away.max() < 0.33
    assert 1.1 < one["tNAA"] / one["tCr"] < 1.6
    assert 1.0 < one["Glu"] / one["tCr"] < 1.5


def test_philips_with_its_water_is_sane(real_spectra: Path, tmp_path: Path) -> None:
    """In institutional units: of a brain's water nothing is assumed."""
    pair = [real_spectra / f"osprey/sub-01_PRESS_35_{name}.sdat" for name in ("act", "ref")]
    table = table_of(pair[0], tmp_path / "out", water=pair[1])
    value = found_by(table)
    assert set(table["unit"]) == {"institutional units"}
    assert 1.1 < value["tNAA"] / value["tCr"] < 1.6
    assert 1.0 < value["Glu"] / value["tCr"] < 1.5
    assert 0.6 < value["Ins"] / value["tCr"] < 1.1
    assert np.isnan(value["NAAG"])
    assert "relaxed to 12 degrees of freedom" in pd.read_csv(tmp_path / "out" / "specimens.csv")["notes"].item()


@pytest.mark.parametrize("method", ["nls", "map"])
@pytest.mark.parametrize("row", [0, 3])
def test_a_phantom_in_mm_is_near_its_truth(cohort: Path, method: Method, row: int) -> None:
    """Where its fat fraction is given: fat takes the place of water."""
    path, water = files(cohort, row)
    truth = pd.read_csv(cohort / "truth.csv").iloc[row]
    pdff = truth["Lip13_mm"] * TRIGLYCERIDE_PROTONS / WATER_PROTONS_MM
    found = quantified(path, water=water, settings=Quantification(method=method, pdff=pdff)).quantities
    table = found.to_table()
    value, sd = found_by(table), found_by(table, "sd")
    choline = sum(truth[f"{name}_mm"] for name in ("Cho", "GPC", "PCh"))
    assert set(table["unit"]) == {"mM"}
    assert value["Lip13"] == pytest.approx(truth["Lip13_mm"], rel=0.05)
    tcho = found.concentration[0, found.names.index("tCho")]  # as found, reported or not
    assert tcho == pytest.approx(choline, abs=2 * sd["tCho"])
    assert np.isnan(value["tCho"]) == (not found.quantifiable[0, found.names.index("tCho")])
    assert table["value"].isna().any()  # fifteen metabolites are never all reported


def test_a_folder_of_pairs_gives_what_the_pair_gives(cohort: Path, tmp_path: Path) -> None:
    path, water = files(cohort)
    folder = tmp_path / "pairs"
    folder.mkdir()
    ending = "".join(path.suffixes)
    for source, name in ((path, "a_act"), (water, "a_ref"), (path, "b")):
        (folder / f"{name}{ending}").write_bytes(source.read_bytes())
    found = table_of(folder, tmp_path / "out", settings=Quantification())
    alone = table_of(path, tmp_path / "alone", settings=Quantification(), water=water)
    assert found.groupby("row")["unit"].first().tolist() == ["mM", "institutional units"]
    assert found.loc[found["row"] == 1, "sd"].tolist() == alone["sd"].tolist()
    with pytest.raises(SettingsError, match="one water reference for 2 files"):
        table_of(folder, tmp_path / "more", settings=Quantification(), water=water)


def test_lipids_relax_otherwise_than_metabolites(cohort: Path) -> None:
    """At TR 800 and TE 35 ms lipids keep 0.52 of their signal, metabolites 0.36, at 2000 both 0.59 (WaterScaling)."""
    path, water = files(cohort)
    ratio = {}
    for tr in (800.0, 2000.0):
        settings = Quantification(header_overrides=Header(tr_ms=tr))
        found = quantified(path, water=water, settings=settings).quantities
        value = dict(zip(found.names, found.concentration[0], strict=True))
        ratio[tr] = value["Lip13"] / value["Bet"]
    kept = {tr: (1 - np.exp(-tr / 382)) * np.exp(-35 / 68) / (1 - np.exp(-tr / 1100)) for tr in ratio}
    assert ratio[800.0] / ratio[2000.0] == pytest.approx(kept[2000.0] / kept[800.0])


def test_networks_quantify_too_and_their_run_is_named(trained_spectra, cohort: Path, tmp_path: Path) -> None:
    run = trained_spectra["bae_2025_qcnn"].run
    path, water = files(cohort)
    tables = {}
    for method in ("map", "qcnn", "qcnn+gn"):
        settings = Quantification(method=method, run=None if method == "map" else run)
        tables[method] = table_of(path, tmp_path / method, settings=settings, water=water)
    value = {method: found_by(table) for method, table in tables.items()}
    assert value["qcnn+gn"]["Lip13"] == pytest.approx(value["map"]["Lip13"], rel=0.02)
    assert value["qcnn+gn"]["tCho"] == pytest.approx(value["map"]["tCho"], rel=0.2)
    assert not np.allclose(value["qcnn"]["Lip13"], value["map"]["Lip13"], rtol=1e-3)
    made_from = json.loads((tmp_path / "qcnn" / "made_from.json").read_text())
    assert made_from["model"] == json.loads((tmp_path / "qcnn+gn" / "made_from.json").read_text())["model"]
    assert made_from["note"] == "phantom-trained model: not for clinical use"
    assert made_from["priors"] == read_priors().digest


def test_spectra_of_another_acquisition_and_runs_of_other_systems_are_refused(
    trained_spectra, cohort: Path, tmp_path: Path
) -> None:
    path, water = files(cohort)
    overrides = Header(te_ms=20.0)
    settings = Quantification(method="qcnn", run=trained_spectra["bae_2025_qcnn"].run, header_overrides=overrides)
    with pytest.raises(SpecimenError, match=r"acquired with TE 20 ms, not 35: multiplets differ there"):
        table_of(path, tmp_path / "out", settings=settings, water=water)
    other = Quantification(method="qcnn", run=trained_spectra["bae_2025_ccnn"].run)
    with pytest.raises(RunError, match="got a run of bae_2025_ccnn, wanted one of bae_2025_qcnn"):
        table_of(path, tmp_path / "out", settings=other, water=water)


def test_a_bad_file_does_not_stop_the_rest_and_no_name_comes_out(cohort: Path, tmp_path: Path) -> None:
    path, _ = files(cohort)
    shutil.copy(path, tmp_path / "Miller_John.nii.gz")
    (tmp_path / "Miller_Jane.rda").write_bytes(b"")
    (tmp_path / "Miller_James.COORD").touch()
    (tmp_path / "Miller_Joe.docx").write_text("Miller")
    paths = [tmp_path / f"Miller_{name}" for name in ("Jane.rda", "James.COORD", "Joe.docx", "John.nii.gz")]
    quantities, spectra = quantify(paths, out=tmp_path / "out", settings=Quantification())
    assert spectra["row"].tolist() == [1, 2, 3, 4]
    assert spectra["reason"].str[:20].tolist()[:3] == [
        "the file has no RDA ",
        "the file has no line",
        "got a file that ends",
    ]
    assert set(quantities["row"]) == {4}
    assert set(quantities["unit"]) == {"institutional units"}
    written = [each for each in (tmp_path / "out").rglob("*") if each.is_file()]
    assert {each.name for each in written if each.parent.name == "out"} == {
        "digests.json",
        "made_from.json",
        "predictions.csv",
        "quantities.csv",
        "ratios.csv",
        "specimens.csv",
        "specimen_0004.nii.gz",
        "specimen_0004_fit.png",
    }
    assert not any(b"Miller" in each.read_bytes() for each in written)


def test_concentrations_are_rows_of_the_predictions_table(cohort: Path, tmp_path: Path) -> None:
    """Of a cohort folder, each spectrum with its own water; what cannot be quantified has a reason and no score."""
    quantities, specimens = quantify([cohort], out=tmp_path / "out", settings=Quantification())
    table = read_predictions(tmp_path / "out" / "predictions.csv")
    rows = table[table["specimen_id"].notna()]
    assert set(table["task"]) == {"quantities"}
    assert set(table["endpoint"]) == {"concentration"}
    np.testing.assert_array_equal(rows["score"], quantities["value"])
    lost = table[table["score"].isna()]
    assert set(lost["applicability"]) == {"not_assessable"}
    assert lost["reason"].str.startswith("not quantifiable: ").all()
    patients = class_scores(table, target=targets(table)[0])
    assert patients.shape == (4, table.loc[table["score"].notna(), "class_or_quantity"].nunique())
    assert specimens["reason"].isna().all()


def test_what_was_stopped_goes_on(cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is done twice, and the tables are those of one call."""
    paths = [files(cohort, row)[0] for row in range(3)]
    whole, _ = quantify(paths, out=tmp_path / "whole", settings=Quantification())

    def stopped_at_the_third(path: Path, **known: Any) -> Any:
        if path == paths[2]:
            raise KeyboardInterrupt
        return quantified(path, **known)

    monkeypatch.setattr(runs_quantify, "quantified", stopped_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        quantify(paths, out=tmp_path / "out", settings=Quantification())
    done = {each: each.stat().st_mtime_ns for each in (tmp_path / "out").rglob("*.parquet")}
    assert len(done) == 2
    monkeypatch.setattr(runs_quantify, "quantified", quantified)
    again, _ = quantify(paths, out=tmp_path / "out", settings=Quantification())
    assert done.items() <= {each: each.stat().st_mtime_ns for each in (tmp_path / "out").rglob("*.parquet")}.items()
    pd.testing.assert_frame_equal(again, whole)
    for name in ("predictions.csv", "quantities.csv", "specimens.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_files_say_the_same_alone_and_among_others(cohort: Path, tmp_path: Path) -> None:
    """Frequencies of one scanner differ from day to day."""
    raw = read_nifti_mrs(files(cohort)[0], header_overrides=Header())
    for number, f0 in enumerate((127.74, 127.7423)):
        write_nifti_mrs(tmp_path / f"{number}.nii.gz", fids=raw.fids, acquisition=Acquisition(f0_mhz=f0))
    paths = [tmp_path / f"{number}.nii.gz" for number in range(2)]
    both, _ = quantify(paths, out=tmp_path / "both", settings=Quantification())
    alone = table_of(paths[1], tmp_path / "alone", settings=Quantification())
    left = [
        read_nifti_mrs(tmp_path / "both" / f"specimen_000{number}.nii.gz", header_overrides=Header())
        for number in (1, 2)
    ]
    assert [each.acquisition.f0_mhz for each in left] == [127.7, 127.7]  # one simulated basis for both
    pd.testing.assert_frame_equal(
        both[both["row"] == 2].drop(columns=IDS).reset_index(drop=True), alone.drop(columns=IDS)
    )


def test_the_preprocessed_spectrum_says_what_was_done(cohort: Path, tmp_path: Path) -> None:
    path, water = files(cohort)
    table_of(path, tmp_path / "out", settings=Quantification(), water=water)
    left = read_nifti_mrs(tmp_path / "out" / "specimen_0001.nii.gz", header_overrides=Header())
    assert left.fids.shape == (1, 1, 1024)
    content = (tmp_path / "out" / "specimen_0001.nii.gz").read_bytes()
    assert b"transients combined, aligned and averaged; water removed" in gzip.decompress(content)


def test_water_that_is_not_this_voxel_s_is_noticed(cohort: Path, tmp_path: Path) -> None:
    path, water = files(cohort)
    raw = read_nifti_mrs(water, header_overrides=Header())
    write_nifti_mrs(tmp_path / "loud.nii.gz", fids=1e6 * raw.fids, acquisition=raw.acquisition)
    table = table_of(path, tmp_path / "out", settings=Quantification(), water=tmp_path / "loud.nii.gz")
    assert "not plausible in liver: tCho+Bet" in table["flags"].iloc[0]
    predicted = read_predictions(tmp_path / "out" / "predictions.csv").dropna(subset="score")
    assert set(predicted["applicability"]) == {"unusual"}
    assert predicted["reason"].str.contains("not plausible in liver").all()
    plain = table_of(path, tmp_path / "plain", settings=Quantification(), water=water)
    assert set(plain["flags"]) == {""}
    predicted = read_predictions(tmp_path / "plain" / "predictions.csv").dropna(subset="score")
    assert set(predicted["applicability"]) == {"unknown"}


def test_mm_want_water_and_a_repetition_time(cohort: Path, tmp_path: Path) -> None:
    path, water = files(cohort)
    with pytest.raises(SpecimenError, match="map has priors in mM, got institutional units: give a water reference"):
        table_of(path, tmp_path / "out", settings=Quantification(method="map"))
    raw = read_nifti_mrs(path, header_overrides=Header())
    untold = Acquisition(tr_ms=None)
    write_nifti_mrs(tmp_path / "a.nii.gz", fids=raw.fids, acquisition=untold)
    with pytest.raises(SpecimenError, match="give tr_ms"):
        table_of(tmp_path / "a.nii.gz", tmp_path / "out", settings=Quantification(), water=water)
    settings = Quantification(header_overrides=Header(tr_ms=2000.0))
    assert set(table_of(tmp_path / "a.nii.gz", tmp_path / "out", settings=settings, water=water)["unit"]) == {"mM"}


def test_a_basis_of_one_s_own_takes_the_place_of_ours(cohort: Path, tmp_path: Path) -> None:
    """Ten times as high, so that concentrations are a tenth."""
    path, _ = files(cohort)
    ours = simulate_basis(Acquisition(te_ms=35.0))
    high = Basis(names=ours.names, fids=10 * ours.fids, acquisition=ours.acquisition)
    write_lcmodel_basis(high, path=tmp_path / "high.basis")
    plain = found_by(table_of(path, tmp_path / "plain", settings=Quantification()))
    settings = Quantification(basis=tmp_path / "high.basis")
    tenth = found_by(table_of(path, tmp_path / "tenth", settings=settings))
    assert tenth["Lip13"] == pytest.approx(plain["Lip13"] / 10, rel=0.02)
    assert "was not checked" in pd.read_csv(tmp_path / "tenth" / "specimens.csv")["notes"].item()


def test_a_folder_of_other_results_is_left_alone(cohort: Path, tmp_path: Path) -> None:
    (path, water), (other, _) = files(cohort), files(cohort, 1)
    table_of(path, tmp_path / "out", settings=Quantification())
    for another, settings in ((other, Quantification()), (path, Quantification(pdff=0.1))):
        with pytest.raises(RunError, match="holds results of another model or of other specimens; choose a new --out"):
            table_of(another, tmp_path / "out", settings=settings)
    with pytest.raises(SettingsError, match="one water reference for 2 files"):
        quantify([path, path], out=tmp_path / "new", settings=Quantification(), water=water)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "qcnn"}, "qcnn needs a run of bae_2025_qcnn"),
        ({"run": Path("run")}, "nls needs no run"),
        ({"brain": True, "method": "map"}, "got map for a brain: use nls"),
        ({"basis": Path("a.basis"), "method": "map"}, "leave --basis out, or use nls"),
        ({"priors": Path("a.toml")}, "nls uses no priors"),
        ({"pdff": 20.0}, "a PDFF of 20"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Quantification(**settings)


def test_a_print_of_lcmodel_s_wants_nls_alone(real_spectra: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecimenError, match="has the phased real part only"):
        table_of(real_spectra / "coord/liver.COORD", tmp_path / "out")


def test_another_band_and_a_longer_basis_leave_the_noise(tmp_path: Path) -> None:
    """Of 1200 Hz with a basis of 2000 Hz and more than twice as long: once values came with a deviation of 4e-14."""
    narrow = Acquisition(bandwidth_hz=1200.0, points=512, f0_mhz=127.7)
    basis = simulate_basis(narrow)
    damped = basis.fids * np.exp(-np.pi * 8 * narrow.time_s)
    noise = np.random.default_rng(0).normal(scale=2.0, size=(2, narrow.points))
    fid = 8 * damped[basis.names.index("Lip13")] + 6 * damped[basis.names.index("Cho")] + noise[0] + 1j * noise[1]
    write_nifti_mrs(tmp_path / "a.nii.gz", fids=fid, acquisition=narrow)
    write_lcmodel_basis(simulate_basis(Acquisition(points=2048, f0_mhz=127.7)), path=tmp_path / "long.basis")
    own, other = (
        table_of(tmp_path / "a.nii.gz", tmp_path / name, settings=settings).set_index("target")
        for name, settings in (("own", Quantification()), ("other", Quantification(basis=tmp_path / "long.basis")))
    )
    sure = own["value"].notna() & other["value"].notna()
    assert {"Lip13", "tCho"} <= set(own.index[sure])
    np.testing.assert_allclose(other.loc[sure, "sd"], own.loc[sure, "sd"], rtol=0.25)
    assert ((other["value"] - own["value"]).abs()[sure] < 2 * own.loc[sure, "sd"]).all()


@pytest.mark.parametrize(
    ("name", "message"),
    [("c13.SDAT", "got a spectrum of 13C"), ("csi.SDAT", "a spectroscopic image of several voxels")],
)
def test_what_is_no_proton_spectrum_of_a_voxel_is_refused(real_spectra: Path, name: str, message: str) -> None:
    with pytest.raises(SpecimenError, match=message):
        quantified(case(real_spectra, name), water=None, settings=Quantification())


def test_what_the_data_contradicts_or_a_header_leaves_open_is_said(real_spectra: Path) -> None:
    """An echo time of 144 ms declared as 35; a sequence called semiLASER, and none at all."""
    pair = [case(real_spectra, f"te144_told35{end}.nii.gz") for end in ("", "_w")]
    wrong = quantified(pair[0], water=pair[1], settings=Quantification())
    assert "not plausible in liver" in wrong.quantities.flags[0][0]
    assert "TE and TR" in wrong.quantities.flags[0][0]
    assert "PRESS was assumed" in wrong.about["notes"]
    laser = quantified(case(real_spectra, "seq_mslaser.nii.gz"), water=None, settings=Quantification())
    assert laser.spectrum is not None
    assert laser.spectrum.acquisition.sequence == "slaser"


def case(real_spectra: Path, name: str) -> Path:
    """A file that was once misread; skips where it is absent."""
    path = real_spectra.parent.parent / "cases" / "spectroscopy" / name
    if not path.exists():
        pytest.skip(f"there is no {name} on this machine")
    return path


def test_settings_go_to_another_process_as_plain_values(tmp_path: Path) -> None:
    given = Quantification(method="map", priors=tmp_path / "p.toml", pdff=0.1, header_overrides=Header(te_ms=30.0))
    assert Quantification.from_plain(json.loads(json.dumps(given.as_plain()))) == given


def test_a_share_gives_the_same_bytes_as_the_call_alone(cohort: Path, tmp_path: Path) -> None:
    few = [path for row in range(2) for path in files(cohort, row)[:1]]
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    quantify(few, out=alone, settings=Quantification())
    with pytest.raises(Shared):
        quantify(few, out=shared, settings=Quantification(), engine=Engine(share=True))
    assert not (shared / "quantities.csv").exists()
    assert len(list((shared / "prepared").glob("*.parquet"))) == 2
    quantify(few, out=shared, settings=Quantification())
    for name in ("quantities.csv", "ratios.csv", "specimens.csv", "predictions.csv"):
        assert (shared / name).read_bytes() == (alone / name).read_bytes()


def test_rows_are_those_of_this_call(cohort: Path, tmp_path: Path) -> None:
    """Equal files have a row each, and results called by row are not those of the files in another order."""
    one, other = (files(cohort, row)[0] for row in range(2))
    quantify([one, other], out=tmp_path / "out", settings=Quantification())
    with pytest.raises(RunError, match="other specimens"):
        quantify([other, one], out=tmp_path / "out", settings=Quantification())
    table, _ = quantify([one, one], out=tmp_path / "twice", settings=Quantification())
    assert table.drop_duplicates("specimen_id")["row"].tolist() == [1, 2]

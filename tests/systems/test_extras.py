"""Extras: a system needs the packages of its own instrument alone; those of the others are blocked here."""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

PACKAGES = {
    "pathology": {"openslide", "pyvips", "skimage", "tifffile"},
    "radiology": {"gdcm", "highdicom", "imagecodecs", "nibabel", "pydicom", "pylibjpeg", "SimpleITK"},
    "spectroscopy": {"h5py", "nibabel", "nifti_mrs", "pydicom", "spec2nii"},
    "deploy": {"onnx", "onnxruntime", "onnxscript"},
}
"""Packages that each extra of pyproject.toml brings."""

SCRIPT = """
import sys

sys.modules |= dict.fromkeys(sys.argv[1].split(","))  # importing what is None there is a ModuleNotFoundError
from pathlib import Path
from hepatica.runs import predict, train
from hepatica.systems import find_system, listed

name, cohort, prepared, few, out = sys.argv[2], *map(Path, sys.argv[3:])
assert name in listed()
system = find_system(name)
train(system, cohort, run=out / "run", settings=system.shortest_quick, prepared=prepared)
table = predict(out / "run", [few], out=out / "predicted", pictures=1)
assert table["score"].notna().any()
print("done")
"""


def first_patients(cohort: Path, folder: Path, *, count: int = 3) -> Path:
    """A copy of a cohort with few patients."""
    shutil.copytree(cohort, folder)
    kept = pd.read_csv(folder / "patients.csv", dtype=str)["patient_id"][:count]
    for path in folder.glob("*.csv"):
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        if "patient_id" in table:
            table[table["patient_id"].isin(kept)].to_csv(path, index=False)
    return folder


@pytest.mark.parametrize(
    ("extra", "name", "fixture"),
    [
        pytest.param(extra, name, fixture, marks=pytest.mark.xdist_group(fixture))
        for extra, name, fixture in (
            ("pathology", "li_2025_cnn_sasm", "trained"),
            ("radiology", "wang_2021_hccnet", "trained_ct"),
            ("spectroscopy", "bae_2025_ccnn", "trained_spectra"),
        )
    ],
)
def test_a_system_works_without_the_other_extras(
    extra: str, name: str, fixture: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    there = request.getfixturevalue(fixture)
    trained = there[name] if isinstance(there, dict) else there
    blocked = set().union(*(found for each, found in PACKAGES.items() if each != extra)) - PACKAGES[extra]
    few = first_patients(trained.cohort, tmp_path / "few")
    words = [",".join(sorted(blocked)), name, trained.cohort, trained.run / "prepared", few, tmp_path]
    found = subprocess.run([sys.executable, "-c", SCRIPT, *map(str, words)], capture_output=True, text=True)
    assert found.stdout.endswith("done\n"), found.stderr[-2000:]

"""Real scans: the real CT and MR of the liver through every lesion system: its own kind is read, the other refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from hepatica.cohort import Specimen, SpecimenError, load_cohort
from hepatica.protocol import override
from hepatica.protocol.joined import Joined
from hepatica.radiology.dicom.nifti import read_nifti
from hepatica.radiology.phase.together import read_phases
from hepatica.systems import find_system, listed

FILES = {"ct": "example_ct.nii.gz", "mr": "example_mr_sm.nii.gz"}
REASONS = {"ct": "those of CT", "mr": "not Hounsfield units"}
"""Why a file of this kind is not assessable for a system of the other."""
LIVER = 5
"""In TotalSegmentator's masks."""

NAMES = sorted(name for name in listed() if find_system(name).first.region == "lesion")


@pytest.fixture(scope="module")
def places(real: Path) -> dict[str, np.ndarray]:
    """(x y z) mm in the liver of the CT, and in the middle of the MR."""
    labels, liver = read_nifti(real / "totalsegmentator/example_seg.nii.gz")
    _, other = read_nifti(real / "totalsegmentator" / FILES["mr"])
    voxels = {"ct": np.argwhere(labels == LIVER).mean(axis=0), "mr": (np.array(other.shape) - 1) / 2}
    return {kind: (grid.lps @ [*voxels[kind][::-1], 1])[:3] for kind, grid in (("ct", liver), ("mr", other))}


def test_a_file_whose_phase_is_not_named_is_refused_for_its_kind_first(real: Path) -> None:
    bare = {
        each: Specimen(patient_id="P", specimen_id="S", modality="ct", path=real / "totalsegmentator" / file, row=1)
        for each, file in FILES.items()
    }
    for kind, other in (("ct", "mr"), ("mr", "ct")):
        with pytest.raises(SpecimenError, match=REASONS[other]):
            read_phases(bare[other], kind=kind)
        with pytest.raises(SpecimenError, match="got the phases none that is known"):
            read_phases(bare[kind], kind=kind)


@pytest.mark.parametrize("name", NAMES)
def test_its_own_kind_is_read_and_the_other_refused(name: str, real: Path, places, tmp_path: Path) -> None:
    system = find_system(name)
    kind = system.first.modality
    settings = override(system.shortest_quick, {"absent": "zero"})
    columns = [each.removeprefix("log10 ").split("=")[0] for each in getattr(settings, "columns", ())]
    tables = {
        "patients.csv": [
            ["patient_id", *columns],
            *([each, *("50" if name == "age_years" else "" for name in columns)] for each in FILES),
        ],
        "specimens.csv": [
            ["patient_id", "specimen_id", "modality", "path", "phase"],
            *([each, f"{each}_1", kind, file, settings.phases[0]] for each, file in FILES.items()),
        ],
        "lesions.csv": [
            ["patient_id", "specimen_id", "lesion_id", "x_mm", "y_mm", "z_mm", "diameter_mm"],
            *([each, f"{each}_1", 1, *place.round(1), 30] for each, place in places.items()),
        ],
    }
    (tmp_path / "cohort.toml").write_text('name = "real"\nhospital = "a real scanner"\n')
    for file in FILES.values():
        shutil.copy(real / "totalsegmentator" / file, tmp_path)
    for file, rows in tables.items():
        (tmp_path / file).write_text("\n".join(",".join(map(str, row)) for row in rows))
    found = system.prepare(load_cohort(tmp_path), settings, tmp_path / "prepared")
    store = next(iter(found.parts.values())) if isinstance(found, Joined) else found
    assert store.specimens["specimen_id"].tolist() == [f"{kind}_1"]
    assert np.ptp(store.read(np.arange(1))) > 0.1
    (other,) = set(FILES) - {kind}
    assert store.failures["specimen_id"].tolist() == [f"{other}_1"]
    assert REASONS[other] in store.failures["error"].item()

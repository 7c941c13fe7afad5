"""Together: the phases a system reads, by header, image or name, and what is read in place of an absent one."""

from dataclasses import replace

import pytest

from hepatica.cohort import Specimen, SpecimenError, load_cohort
from hepatica.cohort.phantom import SUSPECTED
from hepatica.radiology.phantom import PhantomSettings, phantom_ct
from hepatica.radiology.phase import together
from hepatica.radiology.phase.together import read_phases


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Specimen:
    """A DICOM study of four phases."""
    settings = PhantomSettings(matrix=64, slices=10, thickness_mm=12)
    folder = phantom_ct(
        tmp_path_factory.mktemp("phantom") / "ct", patients=1, settings=settings, population=SUSPECTED, difficulty=0
    )
    return load_cohort(folder).specimens[0]


def named(folder, *phases):
    """A specimen of NIfTI files, the first of these phases its own."""
    first, *others = phases
    files = {name: folder / f"{name.replace(' ', '_')}.nii.gz" for name in phases}
    return Specimen(
        patient_id="P", specimen_id="S", modality="ct", path=files[first], row=2, extra={"phase": first},
        attachments={name.replace(" ", "_"): files[name] for name in others},
    )  # fmt: skip


@pytest.fixture
def volumes(tmp_path):
    from ct_balls import HCC, PLACE, balls

    from hepatica.radiology.dicom.nifti import write_nifti

    values, _ = balls(lesions=[HCC])
    for name, given in (("plain", "plain"), ("arterial", "arterial"), ("portal_venous", "delayed")):
        write_nifti(tmp_path / f"{name}.nii.gz", values=values[given], geometry=PLACE)
    return tmp_path


def test_clear_headers_need_no_image(study, monkeypatch):
    monkeypatch.setattr(together, "find_liver", lambda _: pytest.fail("the image was asked"))
    found = read_phases(study, wanted=("plain", "arterial", "delayed"))
    assert list(found.volumes) == ["plain", "arterial", "delayed"]
    assert found.reference == "arterial"
    liver = [float(each.values[each.values > 30].mean()) for each in found.volumes.values()]
    assert liver[0] < liver[1] < liver[2]


def test_portal_venous_is_the_reference_where_it_is_read(study):
    assert read_phases(study, wanted=("arterial", "portal venous")).reference == "portal venous"


def test_files_are_named_by_their_columns(volumes):
    found = read_phases(named(volumes, "plain", "arterial", "portal venous"), wanted=("portal venous", "plain"))
    assert list(found.volumes) == ["portal venous", "plain"]
    assert found.volumes["portal venous"].values.max() == 100


def test_an_absent_phase_is_refused_stands_in_or_is_left_empty(volumes):
    specimen = named(volumes, "plain", "portal venous")
    wanted = ("plain", "arterial", "delayed")
    with pytest.raises(SpecimenError, match=r"got the phases plain, portal venous, wanted .*: no arterial and no dela"):
        read_phases(specimen, wanted=wanted)
    near = read_phases(specimen, wanted=wanted, absent="nearest")
    assert near.found == {"plain": "plain", "arterial": "plain", "delayed": "portal venous"}
    assert "no delayed phase; portal venous is read in its place" in near.notes
    empty = read_phases(specimen, wanted=wanted, absent="zero")
    assert list(empty.volumes) == ["plain"]
    with pytest.raises(SpecimenError, match="none that is known"):
        read_phases(replace(specimen, extra={}, attachments={}), wanted=wanted, absent="zero")

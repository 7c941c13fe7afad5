"""Sequence: headers as Siemens, GE and Philips write them, whole and with much left out."""

import pytest

from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.mr.sequence import sequence_of, sequences_of

VIBE = {  # Siemens, T1-weighted, fat-suppressed
    "ScanningSequence": "GR",
    "SequenceVariant": ["SP", "OSP"],
    "ScanOptions": ["PFP", "FS"],
    "SequenceName": "*fl3d1",
    "RepetitionTime": 3.8,
    "EchoTime": 1.4,
    "FlipAngle": 9,
    "MagneticFieldStrength": 3,
}
LAVA = {**VIBE, "ScanningSequence": "RM", "ScanOptions": ["FAST_GEMS", "EDR_GEMS"], "SequenceName": None}  # GE
THRIVE = {**VIBE, "ScanOptions": "FS", "SequenceName": None}  # Philips
HASTE = {"ScanningSequence": "SE", "RepetitionTime": 1400, "EchoTime": 92, "FlipAngle": 160}
EPI = {"ScanningSequence": ["EP", "SE"], "RepetitionTime": 6000, "EchoTime": 61, "FlipAngle": 90}


@pytest.fixture
def read(mr):
    def of(**tags):
        mr.write(mr.body(count=3), **tags)
        (series,) = read_study(mr.folder, kind="mr").series
        return sequence_of(series)

    return of


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        (VIBE | {"SeriesDescription": "t1_vibe_fs_tra_bh_pre"}, "pre"),
        (VIBE | {"SeriesDescription": "t1_vibe_fs_tra nativ"}, "pre"),
        (LAVA | {"SeriesDescription": "Ax LAVA late arterial"}, "arterial"),
        (THRIVE | {"SeriesDescription": "eTHRIVE port-ven"}, "portal venous"),
        (THRIVE | {"SeriesDescription": "dyn equilibrium"}, "delayed"),
        (VIBE | {"SeriesDescription": "T1 VIBE HBP 20 min"}, "hepatobiliary"),
        (VIBE | {"SeriesDescription": "vibe 20 min", "ContrastBolusAgent": "Primovist"}, "hepatobiliary"),
        (VIBE | {"SeriesDescription": "vibe 5 min", "ContrastBolusAgent": "Primovist"}, "delayed"),
        (VIBE | {"SeriesDescription": "vibe 10 min", "ContrastBolusAgent": "Gadovist"}, "delayed"),
        (HASTE | {"SeriesDescription": "t2_haste_tra"}, "t2"),
        (HASTE, "t2"),
        ({"SeriesDescription": "T2 TSE SPAIR", "EchoTime": None}, "t2"),  # times blanked
        (EPI | {"SeriesDescription": "ep2d_diff_tra", "DiffusionBValue": 0.0}, "dwi"),
        (VIBE | {"ImageType": ["DERIVED", "PRIMARY", "DIXON", "OPP_PHASE"]}, "t1_opposed"),
        (LAVA | {"SeriesDescription": "InPhase: Ax LAVA Flex"}, "t1_in"),
        (LAVA | {"SeriesDescription": "dual echo in/opp", "EchoTime": 2.3}, "t1_in"),  # at 3 T
        (
            LAVA | {"SeriesDescription": "dual echo in/opp", "EchoTime": 2.3, "MagneticFieldStrength": 1.5},
            "t1_opposed",
        ),
        (VIBE | {"SeriesDescription": "trufisp tra", "FlipAngle": 60}, "unknown"),
        (HASTE | {"EchoTime": 700, "SeriesDescription": "T2 MRCP"}, "unknown"),
        (VIBE | {"SeriesDescription": "t1 vibe"}, "unknown"),
        (VIBE | {"SeriesDescription": "t1 vibe w/o fs", "ScanOptions": None}, "unknown"),  # not: without contrast
        (VIBE | {"SeriesDescription": "t1 vibe fs km", "ContrastBolusAgent": "Dotarem"}, "unknown"),
    ],
)
def test_names(read, tags, wanted):
    found = read(**tags)
    assert found.name == wanted
    assert (found.confidence >= 0.6) == (wanted != "unknown")


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        (VIBE, True),
        (VIBE | {"ScanOptions": None}, None),
        (VIBE | {"ScanOptions": None, "ImageType": ["DERIVED", "PRIMARY", "DIXON", "W"]}, True),
        (VIBE | {"ImageType": ["DERIVED", "PRIMARY", "DIXON", "IN_PHASE"]}, False),
        (HASTE | {"SeriesDescription": "t2 tse SPAIR"}, True),
        (HASTE | {"SeriesDescription": "t2 tse no fatsat"}, False),
    ],
)
def test_fat_suppression(read, tags, wanted):
    assert read(**tags).fat_suppressed is wanted


def test_b_value_and_agent(read):
    found = read(**EPI, DiffusionBValue=600.0, ContrastBolusAgent="Gadobutrol 1 mmol")
    assert (found.name, found.b_value, found.agent, found.family) == ("dwi", 600, "extracellular", "dwi")


def test_the_b_value_of_a_name_counts_with_a_note(read):
    found = read(**EPI, SeriesDescription="DWI b800")
    assert (found.b_value, found.notes) == (800, ("the b-value is that of the series' name",))
    assert found.confidence == 0.7


def test_several_b_values_in_a_name_are_none(read):
    found = read(**EPI, SeriesDescription="DWI b50 b800")
    assert (found.name, found.b_value, found.notes) == ("dwi", None, ("the b-value is unknown",))


def test_a_b_value_of_0_alone_is_no_diffusion(read):
    assert read(**HASTE, SeriesDescription="ssfse", DiffusionBValue=0.0).name == "t2"


@pytest.mark.parametrize(
    ("scanned", "agent", "wanted"),
    [
        ("115500", "", "pre"),
        ("120025", "", "arterial"),
        ("120110", "", "portal venous"),
        ("120400", "Eovist", "delayed"),
        ("121500", "MultiHance", "hepatobiliary"),
        ("121500", "Gadovist", "delayed"),
    ],
)
def test_times_after_the_injection(read, scanned, agent, wanted):
    tags = {"ContrastBolusStartTime": "120000", "AcquisitionTime": scanned, "ContrastBolusAgent": agent}
    assert read(**VIBE, **tags).name == wanted


def test_a_contradiction_of_name_and_physics_is_noted(read):
    found = read(**HASTE, SeriesDescription="t1 tse")
    assert (found.name, found.confidence) == ("t2", 0.7)
    assert found.notes == ("echo and repetition time say t2, the name of the series t1",)


def test_notes_never_quote_the_header(read):
    found = read(**VIBE, SeriesDescription="Secret t2 dwi", ContrastBolusAgent="Secret")
    assert "ecret" not in str(found)


def test_order_decides_where_nothing_else_does(mr):
    for k, minute in enumerate((0, 3, 4, 7)):
        tags = {"SeriesInstanceUID": f"1.{k}", "AcquisitionTime": f"12{minute:02d}00"}
        mr.write(mr.body(count=3), **VIBE, SeriesDescription="t1 vibe dyn", **tags)
    series = sorted(read_study(mr.folder, kind="mr").series, key=lambda each: each.headers[0].series)
    found = sequences_of(series)
    assert [each.name for each in found] == ["pre", "arterial", "portal venous", "delayed"]
    assert all("inferred from the order" in each.notes[-1] for each in found)


def test_time_points_by_trigger_follow_a_named_arterial_one(mr):
    """GE: all have one acquisition time, and milliseconds since the trigger."""
    for name, trigger in (("arterial", 30000), ("", 80000)):
        tags = {"SeriesInstanceUID": f"1.{trigger}", "AcquisitionTime": "120000", "TriggerTime": trigger}
        mr.write(mr.body(count=3), **LAVA, SeriesDescription=f"LAVA {name}", **tags)
    found = sequences_of(read_study(mr.folder, kind="mr").series)
    assert sorted(each.name for each in found) == ["arterial", "portal venous"]

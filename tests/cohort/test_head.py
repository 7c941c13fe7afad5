"""Head: each key of cohort.toml is known and of its kind, or is a fault with what was wanted."""

from pathlib import Path

import pytest

from hepatica.cohort import Classes, Measured, Outlined, Status, TimeToEvent
from hepatica.cohort.faults import Faults
from hepatica.cohort.head import Head, read_head

EVERY_KIND = """
name = "x"
attachments = ["second_phase"]
[endpoints.death]
time = "months"
event = "died"
[endpoints.hcc]
label = "hcc"
[endpoints.grade]
label = "grade"
classes = ["G1", "G2", "G3"]
ordered = true
[endpoints.stiffness]
value = "kpa"
unit = "kPa"
[endpoints.tumour]
mask = "tumour_mask"
[tables.visits]
path = "tables/visits.csv"
patient = "case"
time = "day"
unit = "days"
"""


def read(folder: Path, text: str | bytes) -> tuple[Head, str]:
    (folder / "cohort.toml").write_bytes(text.encode() if isinstance(text, str) else text)
    faults = Faults()
    return read_head(folder, faults), str(faults)


def test_every_kind_of_endpoint_is_declared_by_its_keys(tmp_path):
    head, faults = read(tmp_path, EVERY_KIND)
    assert faults == ""
    assert list(head.endpoints.values()) == [
        TimeToEvent(name="death", time="months", event="died"),
        Status(name="hcc", column="hcc"),
        Classes(name="grade", column="grade", classes=("G1", "G2", "G3"), ordered=True),
        Measured(name="stiffness", column="kpa", unit="kPa"),
        Outlined(name="tumour", column="tumour_mask"),
    ]
    visits = head.tables["visits"]
    assert (visits.path, visits.patient, visits.time) == (tmp_path / "tables" / "visits.csv", "case", "day")
    assert head.attachments == ("second_phase",)


def test_a_head_that_is_not_there_is_one_fault(tmp_path):
    faults = Faults()
    assert read_head(tmp_path, faults) == Head()
    assert str(faults) == "cohort.toml is missing"


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("name = ", "cohort.toml is not valid TOML"),
        (b'name = "\xff"', "cohort.toml is not valid TOML"),
        ("", "has no name; add a line such as"),
        ('name = "x"\nhospitl = "y"', "unknown key 'hospitl'; did you mean hospital?"),
        ('name = "x"\nphantom = "yes"', "key 'phantom': got 'yes', wanted true or false"),
        ('name = "x"\nendpoints = 3', "key 'endpoints': got 3, wanted tables such as [endpoints.recurrence]"),
        ('name = "x"\nspecimen_root = 3', "key 'specimen_root': got 3, wanted a folder in quotes"),
        ("name = 3", "key 'name': got 3, wanted text in quotes"),
        ('name = "x"\n[endpoints.r]\ntime = "t"', "[endpoints.r]: got the keys time, wanted time and event; or label"),
        (
            'name = "x"\n[endpoints.r]\ntime = "t"\nevent = ["e"]',
            "[endpoints.r] event: got ['e'], wanted a column name",
        ),
        (
            'name = "x"\n[endpoints.r]\ntime = "t"\nevent = "t"',
            "[endpoints.r]: got 't' for time and for event, wanted two columns",
        ),
        ('name = "x"\n[endpoints]\nr = 1', "[endpoints.r]: got 1, wanted the keys of a table"),
        ('name = "x"\n[endpoints.r]\nlabel = 1', "[endpoints.r] label: got 1, wanted a column name in quotes"),
        ('name = "x"\n[endpoints.r]\nlabel = "l"\ntime = "t"', "[endpoints.r]: got the keys label, time, wanted"),
        ('name = "x"\n[endpoints.r]\ntime = "t"\nevnt = "e"', "evnt: did you mean event?"),
        (
            'name = "x"\n[endpoints.r]\nlabel = "l"\nclasses = ["a"]',
            "[endpoints.r] classes: got ['a'], wanted a list of two",
        ),
        (
            'name = "x"\n[endpoints.r]\nlabel = "l"\nclasses = [1, 2]',
            "[endpoints.r] classes: got [1, 2], wanted a list",
        ),
        ('name = "x"\n[endpoints.r]\nvalue = "v"\nunit = ""', "[endpoints.r] unit: got '', wanted a unit in quotes"),
        ('name = "x"\n[endpoints.r]\nvalue = "v"', "[endpoints.r]: got the keys value, wanted"),
        ('name = "x"\nattachments = "second"', "key 'attachments': got 'second', wanted a list of columns"),
        ('name = "x"\nattachments = [2]', "key 'attachments': got [2], wanted a list of columns"),
        ('name = "x"\n[tables.v]\npath = "v.csv"', "[tables.v]: got the keys path, wanted path and patient"),
        ('name = "x"\n[tables.v]\npath = "../v.csv"\npatient = "p"', "[tables.v] path: got '../v.csv', wanted a file"),
        (
            'name = "x"\n[tables.v]\npath = "v.csv"\npatient = "p"\ntime = "t"\nunit = "hours"',
            "[tables.v] unit: got 'hours', wanted one of days, weeks, months, years",
        ),
    ],
)
def test_a_bad_head_is_named(tmp_path, head, message):
    assert message in read(tmp_path, head)[1]

"""Rules: the images of a study that go to a model, and a settings file whose faults are all named."""

import json
import re
from pathlib import Path

import pytest
from dicom_images import ct_files, ct_image

from hepatica.cohort import SettingsError
from hepatica.radiology.phantom.dicom import encoded
from hepatica.serve.node.received import of_file
from hepatica.serve.node.rules import Image, Rule, chosen, image_of
from hepatica.serve.node.settings import NodeSettings, read_settings

IMAGE = Image(modality="CT", body_part="ABDOMEN", study="CT liver", series="Arterial 1.0", caller="CT1")

FILE = """\
callers = ["PACS"]
[tls]
certificate = "node.pem"
key = "keys/node.key"
[archives.pacs]
title = "PACS"
host = "127.0.0.1"
port = 104
[archives.web]
url = "https://archive.example/dicom-web"
authorization = "header"
[[rules]]
run = "hccnet"
modality = "CT"
series = "arterial|venous"
to = ["pacs", "web"]
notify = "pacs"
"""


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        ({}, True),
        ({"modality": "CT"}, True),
        ({"modality": "MR"}, False),
        ({"modality": "C"}, False),
        ({"series": "arterial"}, True),
        ({"series": "^venous"}, False),
        ({"body_part": "abdomen|liver", "study": "LIVER"}, True),
        ({"body_part": "chest", "study": "LIVER"}, False),
        ({"caller": "CT1"}, True),
        ({"caller": "CT2"}, False),
    ],
)
def test_every_condition_must_hold(rule: dict[str, str], matches: bool) -> None:
    assert Rule(run="r", **rule).matches(IMAGE) is matches


def test_conditions_are_about_one_image(tmp_path: Path) -> None:
    images = [
        (tmp_path / "a", Image(modality="CT", body_part="", study="", series="scout", caller="")),
        (tmp_path / "b", Image(modality="MR", body_part="", study="", series="arterial", caller="")),
    ]
    assert chosen(Rule(run="r", modality="CT", series="arterial"), images) == []
    assert chosen(Rule(run="r", modality="CT"), images) == [tmp_path / "a"]
    assert chosen(Rule(run="r", least=3), images) == []


def test_an_image_is_what_its_header_says(tmp_path: Path) -> None:
    path = tmp_path / "x.dcm"
    path.write_bytes(of_file(encoded(ct_image(1, SeriesDescription="x" * 64)), caller="CT1").file())
    assert image_of(path) == Image(modality="CT", body_part="ABDOMEN", study="", series="x" * 64, caller="CT1")
    assert "xxx" not in repr(image_of(path))
    path.write_bytes(b"nothing")
    assert image_of(path) is None


def test_a_file_is_read_and_its_paths_are_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    path.write_text(FILE)
    found = read_settings(path)
    assert found.tls is not None
    assert found.tls.key == tmp_path / "keys" / "node.key"
    assert found.archives["web"].authorization == tmp_path / "header"
    assert found.rules[0].to == ("pacs", "web")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('callers = ["PACS"]', "callers = []", "callers"),
        ('callers = ["PACS"]', "", "callers"),
        ('"PACS"]', '"a-title-that-is-too-long"]', "callers.0"),
        ('modality = "CT"', 'modalty = "CT"', "modalty"),
        ("arterial|venous", "(arterial", "regular expression"),
        ('to = ["pacs", "web"]', 'to = ["pax"]', "'pax' in a rule, wanted one of [archives]: pacs, web"),
        ('notify = "pacs"', 'notify = "web"', "an archive by url"),
        ('title = "PACS"\nhost', "host", "neither or both"),
        ("port = 104", "port = 70000", "port"),
        ('run = "hccnet"', 'run = "../../etc"', "run"),
        ("[tls]", "[tls", "not valid TOML"),
    ],
)
def test_every_fault_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "node.toml"
    assert old in FILE
    path.write_text(FILE.replace(old, new, 1))
    with pytest.raises(SettingsError) as caught:
        read_settings(path)
    assert said in str(caught.value)


def test_the_settings_in_the_documentation_are_read(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "how_to" / "node.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"<!-- tested: tests/serve/node/test_rules.py -->\n```toml\n(.*?)```", text, re.DOTALL)
    path = tmp_path / "node.toml"
    path.write_text(block)
    found = read_settings(path)
    assert [each.run for each in found.rules] == ["hccnet", "mvi"]
    defaults = NodeSettings(callers=("X",), rules=())
    for name in ("title", "host", "port", "quiet_s", "keep_days", "free_gib", "largest_gib", "associations"):
        assert getattr(found, name) == getattr(defaults, name)
    (block,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert json.loads(block)["DicomModalities"]["hepatica"][0] == found.title


def test_a_study_of_files_matches(tmp_path: Path) -> None:
    images = [(path, image_of(path)) for path in ct_files(tmp_path, 3)]
    assert len(chosen(Rule(run="r", modality="CT", body_part="abdomen", least=3), images)) == 3

"""Tables of a page as files."""

import csv
from pathlib import Path

from hepatica.report.page.blocks import Section, Table, Text
from hepatica.report.page.page import write_tables


def test_one_file_a_table_named_by_its_chapter(tmp_path: Path) -> None:
    table = Table(caption="Two, of them", header=["", "A"], rows=[["Group"], ["x", "1 (0.5 to 2)"]])
    sections = [
        Section(anchor="first", title="First", blocks=[Text(text="no table")]),
        Section(anchor="second", title="Second", blocks=[table, Text(text="between"), table]),
    ]
    written = write_tables(sections, tmp_path)
    assert [path.name for path in written] == ["second_1.csv", "second_2.csv", "captions.csv"]
    with written[0].open() as file:
        assert list(csv.reader(file)) == [["part", "row", "A"], ["Group", "x", "1 (0.5 to 2)"]]
    with written[2].open() as file:
        assert list(csv.reader(file))[1] == ["second_1.csv", "Two, of them", ""]


def test_without_subheadings_a_table_is_as_shown(tmp_path: Path) -> None:
    """A row with fewer cells than the header is filled with blanks, so that a program can read it."""
    table = Table(caption="One", header=["Fact", "Value", "Unit"], rows=[["x", "1"]])
    (path, _) = write_tables([Section(anchor="only", title="Only", blocks=[table])], tmp_path)
    with path.open() as file:
        assert list(csv.reader(file)) == [["Fact", "Value", "Unit"], ["x", "1", ""]]

"""Errors: one tree, drawn where it is defined."""

import inspect
import re

import pytest

from hepatica.cohort import HepaticaError, SpecimenError, errors

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.HepaticaError)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_ours_and_says_its_message(kind):
    assert issubclass(kind, HepaticaError)
    assert str(kind("got 1, wanted 2")) == "got 1, wanted 2"


def test_the_tree_drawn_is_the_tree_there_is():
    drawn = re.findall(r"(\w+Error)  ", errors.__doc__)
    assert set(drawn) == {kind.__name__ for kind in KINDS} - {"HepaticaError"}
    assert re.search(r"SpecimenError .*\n│   └── NotAssessableError ", errors.__doc__)


OURS = [
    "undefined_name",
    "errors.undefined_name",
    "errors.SpecimenError.undefined_name",
    "errors.SpecimenError('a').undefined_name",
    "errors.NotAssessableError('a', nothing_of_the_kind=1)",
    "errors.miscoded()",
    "errors.miscoded(1, 2, 3)",
]
OF_THE_FILE = ["None.value", "[].items()", "None + 1", "None[0]", "float(None)", "len(3)", "{}['a']", "1 / 0"]


def run(line: str, *, module: str) -> None:
    """Run a line as one of the module of that name."""
    exec(line, {"__name__": module, "errors": errors})


@pytest.mark.parametrize("line", OURS)
def test_a_fault_of_our_code_is_raised_as_itself(line):
    with pytest.raises((NameError, AttributeError, TypeError)) as raised, errors.reading("the file"):
        run(line, module="hepatica.reader")
    assert not isinstance(raised.value, HepaticaError)


@pytest.mark.parametrize("line", OF_THE_FILE)
def test_what_a_file_lacks_is_a_fault_of_the_file_also_in_our_lines(line):
    with pytest.raises(SpecimenError, match=r"the file cannot be read \(\w+Error\)"), errors.reading("the file"):
        run(line, module="hepatica.reader")


@pytest.mark.parametrize("line", [*OURS, *OF_THE_FILE])
@pytest.mark.parametrize("module", ["pydicom.tag", "hepaticas"])
def test_whatever_a_library_raises_is_a_fault_of_the_file(line, module):
    with pytest.raises(SpecimenError, match=r"the file cannot be read \(\w+Error\)"), errors.reading("the file"):
        run(line, module=module)


def test_a_reader_that_ends_its_program_is_a_fault_of_the_file() -> None:
    with pytest.raises(SpecimenError, match=r"the file cannot be read \(SystemExit\)"), errors.reading("the file"):
        raise SystemExit(0)

"""Errors: one tree, drawn where it is defined."""

import inspect
import re

import pytest

from hepatica.cohort import HepaticaError, errors

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.HepaticaError)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_ours_and_says_its_message(kind):
    assert issubclass(kind, HepaticaError)
    assert str(kind("got 1, wanted 2")) == "got 1, wanted 2"


def test_the_tree_drawn_is_the_tree_there_is():
    drawn = re.findall(r"(\w+Error)  ", errors.__doc__)
    assert set(drawn) == {kind.__name__ for kind in KINDS} - {"HepaticaError"}
    assert re.search(r"SpecimenError .*\n│   └── NotAssessableError ", errors.__doc__)

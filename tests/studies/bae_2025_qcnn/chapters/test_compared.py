from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from hepatica.cohort import RunError
from hepatica.report.chapters.quantification.compared import quantified, targets
from hepatica.report.chapters.quantification.errors import errors
from hepatica.report.page.results import Run
from hepatica.report.page.style import log_scale
from hepatica.spectroscopy.quantify import METHODS
from hepatica.studies.bae_2025_qcnn import chapters as module
from hepatica.studies.bae_2025_qcnn.chapters import COMPARED, KINDS, training
from hepatica.studies.bae_2025_qcnn.study import TESTED


def test_every_method_and_kind_has_a_name() -> None:
    assert tuple(COMPARED.methods) == METHODS
    assert set(KINDS) == set(TESTED)


def test_a_kind_of_spectra_is_read_alone(with_tables: Callable[..., Run], known: pd.DataFrame) -> None:
    run = with_tables(quantified=known)
    sizes = {kind: (table["estimate"] - table["truth"]).abs().max() for kind in KINDS
             for table in [quantified(run, kind=kind)]}  # fmt: skip
    assert sizes == {"signal model": 4, "everything": 12}


def test_methods_stand_in_their_order_whatever_the_tables(known: pd.DataFrame) -> None:
    turned = known.iloc[::-1]
    assert COMPARED.among(turned) == list(COMPARED.methods)
    assert COMPARED.among(turned[turned["method"] != "map"]) == ["nls", "qcnn", "qcnn+gn"]
    assert targets(known) == ["A", "B"]


def test_errors_are_signed_and_by_spectrum(known: pd.DataFrame) -> None:
    own = known[known["nuisance"] == "signal model"].sample(frac=1, random_state=0)
    wide = errors(own, method="qcnn")
    np.testing.assert_array_equal(wide["A"], np.where(np.arange(40) % 2, 2, -2))
    assert list(wide.index) == list(range(40))


def test_learning_is_told_as_it_was(study: Run) -> None:
    assert training(study) == "One network was trained on 1,024 simulated spectra, with every nuisance."


def test_several_networks_learnt_each_their_own(study: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "read_settings", lambda folder: {"settings": {"effects": "of_model", "members": 3}})
    assert training(study) == (
        "3 networks were trained on 1,024 simulated spectra each, with nuisance of the signal model alone."
    )


def test_a_study_without_its_quantifier_is_refused(study: Run, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run folder"):
        training(replace(study, folder=tmp_path))


def test_numbers_of_a_logarithmic_axis_are_plain() -> None:
    axes = Figure().subplots()
    axes.plot([1, 2], [0.01, 3])
    log_scale(axes)
    told = {label.get_text() for label in axes.get_yticklabels()}
    assert {"0.01", "0.05", "2"} <= told

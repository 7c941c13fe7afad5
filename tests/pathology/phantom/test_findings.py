"""Findings: the marks of a diagnosis overlap as far as the settings say, and change the section."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr
from sklearn.metrics import roc_auc_score

from hepatica.cohort import Microns
from hepatica.cohort.phantom import BIOPSIED, PRIMARY_CANCER, RESECTED, SEQUENCED, draw_patients
from hepatica.pathology.phantom.findings import PLAIN, Findings, altered, findings
from hepatica.pathology.phantom.layout import STANDARD, Layout, draw_layout

LAYOUT = draw_layout(np.random.default_rng(1), side=128, pixel=Microns(2), plate_width=Microns(50))


def changed(**found: float) -> Layout:
    return altered(LAYOUT, Findings(**found), rng=np.random.default_rng(0), pixel=2)


def test_a_population_that_does_not_vary_shows_nothing_more() -> None:
    (patient,) = draw_patients(1, population=RESECTED)
    assert findings(patient, population=RESECTED, difficulty=0.5, settings=STANDARD) == PLAIN


@pytest.mark.parametrize(
    ("population", "mark", "diagnosis"),
    [
        (SEQUENCED, "giant", lambda tumour: tumour.tp53),
        (SEQUENCED, "pseudoglandular", lambda tumour: tumour.ctnnb1),
        (PRIMARY_CANCER, "glandular", lambda tumour: not tumour.hcc),
    ],
)
def test_marks_tell_as_much_as_their_distance_allows(population, mark, diagnosis) -> None:
    patients = draw_patients(800, population=population)
    shown = [findings(each, population=population, difficulty=0.5, settings=STANDARD) for each in patients]
    found = roc_auc_score([diagnosis(each.tumour) for each in patients], [getattr(each, mark) for each in shown])
    assert found == pytest.approx(ndtr(2.6 * 0.7 / np.sqrt(2)), abs=0.03)  # two normal curves of one width: 0.90


def test_some_biopsies_miss_the_tumour() -> None:
    patients = draw_patients(600, population=BIOPSIED)
    seen = [findings(each, population=BIOPSIED, difficulty=1, settings=STANDARD).tumour for each in patients]
    hcc = np.array([each.tumour.hcc for each in patients])
    assert np.mean(np.array(seen)[hcc]) == pytest.approx(0.8, abs=0.06)
    assert not np.array(seen)[~hcc].any()


def test_a_missed_tumour_leaves_liver_alone() -> None:
    assert changed(tumour=0).tumour.max() == 0


def test_glands_lie_in_stroma_without_sinusoids() -> None:
    glands = changed(glandular=1)
    assert glands.stroma.mean() > 3 * LAYOUT.stroma.mean()
    assert (glands.sinusoid * glands.tumour).max() == 0
    assert glands.lumen.mean() > LAYOUT.lumen.mean()


def test_necrosis_has_its_share_and_no_cells() -> None:
    dead = changed(necrotic=0.4)
    assert dead.necrosis.mean() == pytest.approx(0.37 * dead.tumour.mean(), abs=0.15)
    assert (dead.parenchyma * (dead.necrosis == 1)).max() == 0


def test_without_findings_all_is_as_before() -> None:
    same = replace(changed(), fibre=LAYOUT.fibre)
    for name, field in vars(same).items():
        np.testing.assert_allclose(field, getattr(LAYOUT, name), atol=1e-6)

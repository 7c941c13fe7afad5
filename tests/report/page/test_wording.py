import pytest

from hepatica.cohort import Months, Target
from hepatica.report.page.wording import (
    about,
    calls,
    column,
    estimate,
    event,
    heading,
    level,
    outcomes,
    p_value,
    share,
    when,
)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("afp_ng_ml", "AFP (ng/mL)"),
        ("tumour_size_cm", "Tumour size (cm)"),
        ("hbsag", "HBsAg"),
        ("bclc_stage", "BCLC stage"),
        ("age_years", "Age (years)"),
        ("vascular_invasion", "Vascular invasion"),
        ("cm", "Cm"),
        ("hcc", "HCC"),
        ("metavir", "METAVIR"),
        ("child_pugh", "Child-Pugh"),
    ],
)
def test_columns_are_called_as_a_reader_expects(name: str, told: str) -> None:
    assert column(name) == told


@pytest.mark.parametrize(
    ("p", "told"), [(0.00001, "< 0.001"), (0.0312, "0.031"), (0.5, "0.50"), (None, "not computable")]
)
def test_p_values(p: float | None, told: str) -> None:
    assert p_value(p) == told


def test_estimates_with_and_without_interval() -> None:
    row = {"metric": "auroc", "value": 0.8184, "low": 0.7, "high": 0.936}
    assert estimate(row).replace("\N{NO-BREAK SPACE}", " ") == "0.818 (0.700 to 0.936)"
    assert estimate(row | {"value": None}) == "not computable"
    assert estimate(row | {"metric": "log_rank_p", "value": 0.03, "low": None, "high": None}) == "0.030"
    assert estimate(None) == "not computable"


def test_a_diagnosis_is_named_without_a_time() -> None:
    target = Target(endpoint="hcc", horizon=Months(0))
    assert (about(target), heading(target), when(target), event(target)) == ("HCC",) * 4
    assert outcomes(target) == calls(target) == ("HCC", "no HCC")


@pytest.mark.parametrize(("label", "told"), [("malignant", "malignancy"), ("tp53", "TP53 mutation")])
def test_what_a_label_says_of_patients_is_named_by_a_noun(label: str, told: str) -> None:
    target = Target(endpoint=label, horizon=Months(0))
    assert outcomes(target) == (told, f"no {told}")
    assert heading(target) == told[0].upper() + told[1:]


def test_an_event_is_named_with_its_time() -> None:
    target = Target(endpoint="overall_survival", horizon=Months(12))
    assert about(target) == "overall survival at 12 months"
    assert heading(target) == "Overall survival at 12 months"
    assert (when(target), event(target)) == ("At 12 months", "the event")
    assert (outcomes(target), calls(target)) == (("event", "no event"), ("high", "low"))


@pytest.mark.parametrize(("value", "told"), [(1.0, "1"), ("hcc", "HCC"), ("focal nodular hyperplasia",) * 2])
def test_levels(value: str | float, told: str) -> None:
    assert level(value) == told


def test_share_of_nobody() -> None:
    assert share(0, 0) == "0"


def test_one_kind_of_patients_against_another_is_named_by_both() -> None:
    target = Target(endpoint="hcc_vs_healthy", horizon=Months(0))
    assert (about(target), event(target)) == ("HCC vs. healthy", "HCC")
    assert outcomes(target) == ("HCC", "healthy")


@pytest.mark.parametrize(
    ("endpoint", "event"),
    [
        ("recurrence", "recurrence"),
        ("overall_survival", "death"),
        ("recurrence_free_survival", "recurrence or death"),
        ("progression_free_survival", "progression or death"),
    ],
)
def test_the_event_of_a_survival_is_death(endpoint: str, event: str) -> None:
    assert Target(endpoint=endpoint, task="survival").happening == event

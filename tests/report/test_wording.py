import pytest

from hepatica.report.wording import column, estimate, p_value, share


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


def test_share_of_nobody() -> None:
    assert share(0, 0) == "0"

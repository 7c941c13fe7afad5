import numpy as np
import pytest
from scipy.special import expit, logit
from statsmodels.api import GLM, families

from hepatica.evaluate.binary.smooth_calibration import smooth_calibration


@pytest.fixture
def bent() -> tuple[np.ndarray, np.ndarray]:
    """Outcomes whose log odds are the square of those of the score."""
    rng = np.random.default_rng(0)
    log_odds = rng.normal(0, 1, 800)
    return rng.random(800) < expit(log_odds**2 - 1), expit(log_odds)


def test_the_curve_bends_between_the_knots_and_is_straight_beyond(bent: tuple[np.ndarray, np.ndarray]) -> None:
    curve = smooth_calibration(bent[0], score=bent[1])
    assert curve is not None
    x, line = logit(curve.score), logit(curve.observed)
    low, high = np.quantile(logit(bent[1]), [0.1, 0.9])
    for beyond in (x < low, x > high):
        slopes = np.diff(line[beyond]) / np.diff(x[beyond])
        assert slopes == pytest.approx(slopes[0])
    assert line[0] > line[25] < line[-1]


def test_limits_are_those_of_a_sandwich(bent: tuple[np.ndarray, np.ndarray]) -> None:
    curve = smooth_calibration(bent[0], score=bent[1])
    assert curve is not None

    def design(x: np.ndarray) -> np.ndarray:
        a, b, c = np.quantile(logit(bent[1]), [0.1, 0.5, 0.9])
        cube = [np.maximum(x - each, 0) ** 3 for each in (a, b, c)]
        bend = cube[0] + (cube[2] * (b - a) - cube[1] * (c - a)) / (c - b)
        return np.stack([np.ones_like(x), x, bend], axis=1)

    fitted = GLM(bent[0] * 1.0, design(logit(bent[1])), family=families.Binomial()).fit(cov_type="HC0")
    theirs = fitted.get_prediction(design(logit(curve.score)), transform=False).summary_frame()
    assert curve.observed == pytest.approx(theirs["mean"].to_numpy(), abs=1e-6)
    assert curve.low == pytest.approx(theirs["mean_ci_lower"].to_numpy(), abs=1e-5)


def test_scores_alike_have_no_curve() -> None:
    assert smooth_calibration([0, 1, 0, 1], score=[0.5, 0.5, 0.5, 0.6]) is None


def test_a_spline_that_separates_the_classes_is_no_curve() -> None:
    """All with the event lie between all without it, so that no cut-off separates them, but a bend does."""
    score = np.linspace(0.02, 0.98, 49)
    assert smooth_calibration((np.abs(score - 0.5) < 0.25).astype(int), score=score) is None

import numpy as np
import pandas as pd
import pytest
from skimage.draw import disk, ellipse

from hepatica.pathology.nuclei.measures import FEATURES, KINDS, edges_of, kinds_of, measure_nuclei, neighbourhood

LABELS = np.zeros((120, 120), np.int32)
LABELS[disk((40, 40), 12)] = 1
LABELS[ellipse(80, 70, 10, 40)] = 2
LABELS[100:, :10] = 3
SHADE = {0: (225, 150, 190), 1: (95, 60, 140), 2: (60, 30, 120), 3: (95, 60, 140)}
IMAGE = np.array([SHADE[number] for number in LABELS.ravel()], np.uint8).reshape(120, 120, 3)


@pytest.fixture(scope="module")
def measured() -> pd.DataFrame:
    return measure_nuclei(IMAGE, LABELS, mpp=0.5)


def test_size_and_shape_are_those_drawn(measured: pd.DataFrame) -> None:
    disc, long, corner = measured.to_dict("records")
    assert (disc["x"], disc["y"]) == pytest.approx((40, 40), abs=0.1)
    assert disc["area_um2"] == (LABELS == 1).sum() / 4
    assert (disc["length_um"], disc["width_um"]) == pytest.approx((12, 12), rel=0.03)
    assert disc["area_um2"] == pytest.approx(np.pi * 6**2, rel=0.05)
    assert disc["circularity"] == pytest.approx(1, abs=0.1)
    assert long["length_um"] / long["width_um"] == pytest.approx(4, rel=0.05)
    assert [each["whole"] for each in (disc, long, corner)] == [True, True, False]


def test_stain_is_measured_inside_and_beside_the_nucleus(measured: pd.DataFrame) -> None:
    disc, long, _ = measured.to_dict("records")
    assert long["haematoxylin_mean"] > disc["haematoxylin_mean"] > 0.5
    assert disc["haematoxylin_rim"] > 0.4
    assert disc["haematoxylin_sd"] == pytest.approx(0, abs=1e-3)
    assert set(FEATURES) <= set(measured.columns)
    assert len(FEATURES) == 18


def test_grain_tells_speckled_chromatin_from_smooth() -> None:
    speckled = IMAGE.copy()
    noise = np.random.default_rng(0).integers(-25, 26, LABELS.shape)[..., None]
    speckled[LABELS == 1] = (speckled + noise)[LABELS == 1].clip(0, 255)
    plain, rough = (measure_nuclei(each, LABELS, mpp=0.5)["grain_fine"] for each in (IMAGE, speckled))
    assert rough[0] > 3 * plain[0]
    assert rough[1] == pytest.approx(plain[1])


def test_an_empty_map_has_no_rows() -> None:
    found = measure_nuclei(IMAGE, np.zeros_like(LABELS), mpp=0.5)
    assert len(found) == 0
    assert set(FEATURES) <= set(found.columns)


def test_kinds_are_told_by_length_size_and_darkness() -> None:
    table = pd.DataFrame(
        {
            "area_um2": [90, 90, 30, 30, 40],
            "length_um": [11, 11, 6.5, 6.5, 15],
            "width_um": [10, 10, 6, 6, 3],
            "haematoxylin_mean": [1.0, 1.0, 2.0, 0.8, 1.5],
        }
    )
    assert kinds_of(table).tolist() == ["parenchymal", "parenchymal", "lymphocyte", "parenchymal", "stromal"]


def nuclei(places: list[tuple[float, float]], kinds: list[str]) -> pd.DataFrame:
    x, y = zip(*places, strict=True)
    return pd.DataFrame({"x_um": x, "y_um": y, "kind": kinds})


def test_neighbours_of_a_square_counted_by_hand() -> None:
    square = nuclei([(0, 0), (0, 10), (10, 0), (11, 11)], ["parenchymal", "parenchymal", "parenchymal", "lymphocyte"])
    found = neighbourhood(square, mm2=0.01)
    assert found["density_parenchymal"] == 300
    assert found["nearest_parenchymal_parenchymal"] == pytest.approx(10)
    assert found["nearest_lymphocyte_parenchymal"] == pytest.approx(np.hypot(1, 11))
    assert np.isnan(found["nearest_lymphocyte_lymphocyte"])
    shares = {name: value for name, value in found.items() if name.startswith("edges_")}
    assert shares["edges_parenchymal_parenchymal"] == pytest.approx(3 / 5)
    assert sum(shares.values()) == pytest.approx(1)


def test_crowded_nuclei_are_clustered_and_a_grid_is_not() -> None:
    rng = np.random.default_rng(0)
    crowd = [tuple(each) for each in rng.normal(500, 10, (60, 2))]
    grid = [(x * 120.0, y * 120.0) for x in range(8) for y in range(8)]
    close, apart = (
        neighbourhood(nuclei(each, ["lymphocyte"] * len(each)), mm2=1)["clustered_lymphocyte"] for each in (crowd, grid)
    )
    assert close > 100
    assert apart == -25


def test_far_and_degenerate_places_have_no_edges() -> None:
    line = np.stack([np.arange(6.0), np.zeros(6)], axis=1)
    far = np.array([[0, 0], [0, 200], [200, 0], [200, 200]], float)
    assert len(edges_of(line)) == len(edges_of(far)) == len(edges_of(far[:2])) == 0
    assert len(KINDS) == 3

"""Textures against the plainest loops, on a lesion full of holes whose sides differ."""

from itertools import product

import numpy as np
import pytest

from hepatica.radiology.radiomics.aggregation import HALF, averaged, combined, directions, entropy
from hepatica.radiology.radiomics.emphasis import glrlm, glszm, tabulated
from hepatica.radiology.radiomics.glcm import glcm, ngtdm


def at(levels: np.ndarray, place: np.ndarray) -> int:
    inside = (place >= 0).all() and (place < levels.shape).all()
    return int(levels[tuple(place)]) if inside else 0


def runs(levels: np.ndarray) -> list[tuple[int, int]]:
    """Level and length of every run in the 13 directions."""
    found = []
    for place, step in product(np.argwhere(levels > 0), map(np.array, HALF)):
        if at(levels, place) != at(levels, place - step):
            length = 1
            while at(levels, place + length * step) == at(levels, place):
                length += 1
            found.append((at(levels, place), length))
    return found


def zones(levels: np.ndarray) -> list[tuple[int, int]]:
    """Level and size of every connected zone."""
    left, found = {tuple(each) for each in np.argwhere(levels > 0)}, []
    while left:
        first = left.pop()
        front, size = [first], 0
        while front:
            place, size = front.pop(), size + 1
            beside = {tuple(np.add(place, step)) for step in product((-1, 0, 1), repeat=3)} & left
            alike = [each for each in beside if levels[each] == levels[first]]
            left -= set(alike)
            front += alike
        found.append((int(levels[first]), size))
    return found


def test_pairs(holed) -> None:
    pairs = [
        (at(holed, place), at(holed, place + step))
        for place, step in product(np.argwhere(holed > 0), map(np.array, HALF))
        if at(holed, place + step)
    ]
    first, second = np.array(pairs).T
    found = glcm(holed, aggregation="3D, merged")
    assert found["cm_contrast_ACUI"] == pytest.approx(((first - second) ** 2).mean())
    assert found["cm_joint_average_60VM"] == pytest.approx((first + second).mean() / 2)
    assert found["cm_correlation_NI2N"] == pytest.approx(np.corrcoef(np.r_[first, second], np.r_[second, first])[0, 1])


@pytest.mark.parametrize(
    ("loop", "texture", "prefix", "names"),
    [
        (runs, glrlm, "rlm", ("long_runs_emphasis_W4KF", "run_length_variance_SXLW", "run_percentage_9ZK5")),
        (zones, glszm, "szm", ("large_zone_emphasis_48P8", "zone_size_variance_3NSA", "zone_percentage_P30P")),
    ],
)
def test_runs_and_zones(holed, loop, texture, prefix, names) -> None:
    found = texture(holed, aggregation="3D, merged")
    length = np.array([length for _, length in loop(holed)])
    expected = ((length**2).mean(), length.var(), len(length) / length.sum())
    assert [found[f"{prefix}_{name}"] for name in names] == pytest.approx(expected)


@pytest.mark.parametrize("texture", [glcm, glrlm, glszm, ngtdm])
def test_slices_by_themselves_are_the_mean_of_each_alone(holed, texture) -> None:
    together = texture(holed, aggregation="2D, slice-merged")
    levels = [np.pad(each, ((0, 0), (0, 1), (0, 0)), constant_values=0) for each in holed[:, None]]
    for each in levels:  # every slice has as many grey levels as the lesion
        each[0, -1, 0] = 0
    alone = [texture(each, aggregation="2D, slice-merged") for each in levels]
    assert {each.max() for each in levels} == {3}
    assert together == pytest.approx({name: np.mean([each[name] for each in alone]) for name in together})


def test_differences_from_the_mean_of_the_neighbours() -> None:
    # Amadasun and King 1989, as in the IBSI's manual (3.10.6): in the middle of 5 × 5 are 1, 2 and the level 3.
    levels = np.array([[[1, 2, 1], [2, 3, 2], [1, 2, 1]]])
    # 1 (4 corners): mean of 2, 2, 3; 2 (4 edges): of 1, 1, 3, 2, 2; 3: of 1, 2, 1, 2, 2, 1, 2, 1.
    apart = np.array([4 * abs(1 - 7 / 3), 4 * abs(2 - 9 / 5), abs(3 - 12 / 8)])
    share = np.array([4, 4, 1]) / 9
    found = ngtdm(levels, aggregation="2D, averaged")
    assert found["ngtdm_coarseness_QCDE"] == pytest.approx(1 / (share @ apart))
    between = 2 * (share[0] * share[1] + share[1] * share[2] + 4 * share[0] * share[2]) / 6
    assert found["ngtdm_contrast_65HE"] == pytest.approx(between * apart.sum() / 9)


def test_matrices_are_summed_over_what_is_merged_and_an_empty_one_is_left_out() -> None:
    counts = np.zeros((2, 2, 1, 1), np.int64)
    counts[0, :, 0, 0] = 3, 5
    assert combined(counts, "2D, averaged").ravel().tolist() == [3, 5]
    assert combined(counts, "2D, slice-merged").ravel().tolist() == [8]
    assert combined(counts, "2.5D, direction-merged").ravel().tolist() == [3, 5]
    assert combined(counts, "2.5D, merged").ravel().tolist() == [8]
    assert len(directions("3D, merged")), len(directions("2D, averaged")) == (13, 4)
    assert averaged({"a": np.array([1.0, np.nan, 3.0])}) == {"a": 2.0}
    assert entropy(np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])).tolist() == [1, 0]


def test_what_is_tabulated_has_a_column_a_length_that_occurs() -> None:
    counts, lengths = tabulated(
        np.array([1, 2, 2]), np.array([9, 4, 9]), group=np.array([0, 0, 1]), shape=(2, 1), levels=2
    )
    assert lengths.tolist() == [4, 9]
    assert counts[:, 0].tolist() == [[[0, 1], [1, 0]], [[0, 0], [0, 1]]]

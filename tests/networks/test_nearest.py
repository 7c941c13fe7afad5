import numpy as np
import torch

from hepatica.networks import NearestCentre

VALUES = np.array([[0, 1, np.nan], [2, 1, 4], [10, 3, 4], [12, 3, 8]], np.float32)
GROUPS = np.array([0, 0, 1, 1])


def test_a_vector_belongs_to_the_nearest_centre_in_standard_deviations() -> None:
    network = NearestCentre(3, most=4)
    network.standardise.fit(VALUES)
    scaled = network.scaled(VALUES)
    assert scaled[0, 2] == 0
    network.fit(scaled, GROUPS)
    logits = network(torch.from_numpy(scaled))
    assert logits.argmax(dim=1).tolist() == GROUPS.tolist()
    assert torch.isinf(logits[:, 2:]).all()
    centre = scaled[:2].mean(axis=0)
    within = np.mean([((scaled[n] - scaled[GROUPS[n] == GROUPS].mean(axis=0)) ** 2).sum() for n in range(4)])
    expected = -((scaled[3] - centre) ** 2).sum() / (2 * within)
    assert np.isclose(float(logits[3, 0]), expected, rtol=1e-4)


def test_an_odd_value_counts_as_five_standard_deviations() -> None:
    network = NearestCentre(3, most=2)
    network.standardise.fit(VALUES)
    assert network.scaled(np.array([[1e9, 2, 5]]))[0, 0] == 5

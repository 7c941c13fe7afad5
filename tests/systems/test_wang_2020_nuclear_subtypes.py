"""Nuclear subtypes: 246 numbers a slide, groups in the order of their deaths, the nearest for other patients."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch

from hepatica.cohort import TimeToEvent
from hepatica.pathology.nuclei.measures import PROFILE
from hepatica.systems.wang_2020_nuclear_subtypes import SYSTEM, NuclearSubtypes, Settings, build, by_deaths


def test_a_slide_has_246_numbers() -> None:
    assert len(PROFILE) == len(set(PROFILE)) == 3 * 18 * 4 + 30


def test_s1_has_the_most_deaths_a_month() -> None:
    # Group 0: 1 death in 100 months; group 1: 2 in 40; group 2: 1 in 60.
    patients = pd.DataFrame(
        {"months": [60, 40, 10, 30, 20, 40], "died": [1, 0, 1, 1, 0, 1]}, index=[f"P{each}" for each in range(6)]
    )
    survival = TimeToEvent(name="overall_survival", time="months", event="died")
    cohort = SimpleNamespace(patients=patients, survival=lambda name: survival)
    training = SimpleNamespace(cohort=cohort, task=SimpleNamespace(endpoint="overall_survival"))
    groups = np.array([0, 0, 1, 1, 2, 2])
    assert by_deaths(groups, training, patients.index).tolist() == [2, 2, 0, 0, 1, 1]


def test_another_patient_has_the_nearest_subtype() -> None:
    network = NuclearSubtypes(None, most=3)
    values = np.zeros((4, len(PROFILE)), np.float32)
    values[2:, 0] = 8
    network.nearest.fit(values, np.array([0, 0, 1, 1]))
    near = torch.zeros(2, len(PROFILE))
    near[:, 0] = torch.tensor([1.0, 7.0])
    assert network.nearest(near).argmax(dim=1).tolist() == [0, 1]
    assert int(network.nearest.count) == 2


def test_nuclei_are_found_by_the_u_net_unless_it_is_left_to_otsu() -> None:
    assert build(Settings(), pretrained=False).nuclei is not None
    assert build(SYSTEM.shortest_quick, pretrained=False).nuclei is None

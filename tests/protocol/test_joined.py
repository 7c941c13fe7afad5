"""Joined: each row is read with the same patient's row of the other parts, and nobody's else."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hepatica.cohort import Binary, CohortError
from hepatica.protocol.joined import Joined
from hepatica.protocol.plain import infer_regions


@pytest.fixture
def joined(rows) -> Joined:
    """Slides of P1 (two, one of two tiles), P2 and P3; table rows of P3, P1, a second one of P1, and P4."""
    slides = rows(
        [("P1", "S1"), ("P1", "S1"), ("P1", "S2"), ("P2", "S3"), ("P3", "S4")],
        [[1], [2], [3], [4], [5]],
        failures=[("P5", "S5", 6, "torn"), ("P5", "S6", 7, "empty")],
    )
    table = rows([("P3", "T1"), ("P1", "T2"), ("P1", "T3"), ("P4", "T4")], [[30], [10], [11], [40]])
    return Joined.of({"slide": slides, "table": table}, rows={f"S{n}": n + 1 for n in range(1, 7)})


def test_a_row_has_the_first_row_of_its_patient_in_the_other_part(joined: Joined) -> None:
    assert joined.index["specimen_id"].tolist() == ["S1", "S1", "S2", "S4"]
    read = joined.read(np.array([3, 0, 1, 2]))
    assert read["slide"].ravel().tolist() == [5, 1, 2, 3]
    assert read["table"].ravel().tolist() == [30, 10, 10, 10]


def test_a_patient_who_lacks_a_part_is_a_failure_like_those_of_the_parts(joined: Joined) -> None:
    assert set(joined.specimens["specimen_id"]) == {"S1", "S2", "S4"}
    error = joined.failures.set_index("specimen_id")["error"]
    assert error.to_dict() == {"S5": "torn", "S6": "empty", "S3": "the patient lacks one of slide, table"}
    assert joined.failures.set_index("specimen_id")["row"].to_dict() == {"S5": 6, "S6": 7, "S3": 4}


def test_no_patient_with_every_part_is_refused(rows) -> None:
    parts = {"slide": rows([("P1", "S1")], [[1]]), "table": rows([("P2", "T1")], [[2]])}
    with pytest.raises(CohortError, match="no patient has all of slide, table"):
        Joined.of(parts, rows={})


def test_selection_by_patient_and_by_specimen(joined: Joined) -> None:
    patients = joined.select(patient_ids=["P3", "P5"])
    assert patients.index["specimen_id"].tolist() == ["S4"]
    assert patients.specimens["specimen_id"].tolist() == ["S4"]
    assert patients.failures["specimen_id"].tolist() == ["S5", "S6"]
    assert patients.read(np.arange(len(patients)))["table"].tolist() == [[30]]
    specimens = joined.select(specimen_ids=["S2"])
    assert specimens.read(np.arange(len(specimens)))["slide"].tolist() == [[3]]


class Sum(nn.Module):
    """Log-odds of a patient: the sum of both inputs, less 12."""

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        return inputs["slide"] + inputs["table"] - 12


def test_a_network_of_the_mapping_is_asked_about_every_row(joined: Joined) -> None:
    settings = type("Settings", (), {"batch": 3})
    found = infer_regions(Sum(), joined, settings, Binary("hcc"))
    odds = np.array([-1.0, 0.0, 1.0, 23.0])
    np.testing.assert_allclose(found.regions["score"], 1 / (1 + np.exp(-odds)), rtol=1e-6)
    assert found.specimens["specimen_id"].tolist() == ["S1", "S2", "S4"]


def test_the_first_part_alone_is_read_with_the_others_of_that_patient(joined: Joined) -> None:
    slides = torch.tensor([[1.0], [2.0]])
    for patient, value in (("P1", 10), ("P3", 30)):
        alone = joined.first_alone(Sum(), patient_id=patient)
        assert alone(slides).tolist() == [[1 + value - 12], [2 + value - 12]]

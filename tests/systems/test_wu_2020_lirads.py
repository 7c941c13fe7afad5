"""Wu 2020: AlexNet counted by hand, three phases as colours, rates by fold, and a precision that no count gives."""

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from hepatica.cohort import Cohort, SettingsError
from hepatica.evaluate.audit.integer_tables import possible_tables, read_printed
from hepatica.networks import AlexNet
from hepatica.protocol import override
from hepatica.systems.wu_2020_lirads import HIGH, SYSTEM, build, by_fold, comparators, log_loss

# Krizhevsky 2014, weights and biases of five convolutions and two hidden layers; torchvision's 61,100,840 less its
# last layer of 4096 x 1000 + 1000.
CONVOLUTIONS = (
    (3 * 121 + 1) * 64 + (64 * 25 + 1) * 192 + (192 * 9 + 1) * 384 + (384 * 9 + 1) * 256 + (256 * 9 + 1) * 256
)
HIDDEN = (256 * 36 + 1) * 4096 + (4096 + 1) * 4096


def test_parameters_counted_by_hand() -> None:
    assert CONVOLUTIONS + HIDDEN == 61_100_840 - 4_097_000
    with torch.device("meta"):
        network = build(SYSTEM.settings, pretrained=False)
        found = network.body(torch.empty(2, 3, 224, 224))
    assert sum(each.numel() for each in network.parameters()) == CONVOLUTIONS + HIDDEN + 2 * 4096 + 2
    assert found.logits.shape == (2, 2)
    assert found.signature.shape == (2, 4096)


def test_only_the_chosen_phases_are_read() -> None:
    network = build(SYSTEM.quick, pretrained=False).eval()
    network.chosen.copy_(torch.tensor([0, 2, 4]))
    images = torch.rand(2, 5, 64, 64)
    before = network(images).logits
    images[:, [1, 3]] = 0
    torch.testing.assert_close(network(images).logits, before)
    images[:, 4] = 0
    assert not torch.allclose(network(images).logits, before)


def test_weights_of_a_file_but_for_the_last_layer(tmp_path) -> None:
    other = AlexNet(1000, width=0.125)
    save_file(other.state_dict(), tmp_path / "alexnet.safetensors")
    settings = override(SYSTEM.quick, {"weights": str(tmp_path / "alexnet.safetensors")})
    network = build(settings, pretrained=True)
    assert torch.equal(network.body.features[0].weight, other.features[0].weight)
    assert network.body.classifier[-1].out_features == 2
    with pytest.raises(SettingsError, match="does not hold torchvision's AlexNet"):
        build(override(settings, {"width": 0.25}), pretrained=True)


JUDGED = pd.DataFrame(
    {
        "fold": [1, 1, 1, 2, 2, 2],
        "label": [HIGH, HIGH, "LR-3", HIGH, "LR-3", "LR-3"],
        "score": [0.9, 0.4, 0.6, 0.8, 0.7, 0.2],
    }
)


def test_rates_of_folds_by_hand() -> None:
    """Fold 1: 1 of 2 found, 1 of 2 calls right; fold 2: 1 of 1, 1 of 2."""
    assert by_fold(JUDGED) == {
        "sensitivity by fold": "0.500, 1.000; mean 0.750",
        "precision by fold": "0.500, 0.500; mean 0.500",
    }
    assert log_loss(JUDGED) == pytest.approx(-np.log([0.9, 0.4, 0.4, 0.8, 0.3, 0.8]).mean())


def test_a_precision_that_no_count_gives() -> None:
    """54 of 89 are LR-4/5: precision 0.835 at a sensitivity of 1 asks for 10.7 false positives. With the nearest, 11,
    accuracy is 0.876 and not 0.90.
    """
    printed = {"sensitivity": read_printed("1.0"), "ppv": read_printed("0.835")}
    assert len(possible_tables(printed, n=89, positives=54)) == 0
    (near,) = possible_tables({"sensitivity": read_printed("1.00"), "ppv": read_printed("0.83")}, n=89, positives=54)
    assert near.tolist() == [54, 11, 0, 24]
    assert round((near[0] + near[3]) / 89, 3) == 0.876


def test_li_rads_of_the_largest_lesion() -> None:
    seen = {"first_step": "nothing", "ancillary": "nothing", "threshold_growth": "no", "capsule": "no"}
    lesions = pd.DataFrame(
        [
            {"patient_id": "P1", "diameter_mm": 25.0, "aphe": "yes", "washout": "yes"} | seen,
            {"patient_id": "P1", "diameter_mm": 12.0, "aphe": "no", "washout": "no"} | seen,
            {"patient_id": "P2", "diameter_mm": 12.0, "aphe": "no", "washout": "no"} | seen,
        ]
    )
    patients = pd.DataFrame(index=pd.Index(["P1", "P2", "P3"], name="patient_id"))
    about = {"name": "x", "hospital": "x", "phantom": True, "notes": "", "digest": "", "endpoints": {}}
    cohort = Cohort(**about, patients=patients, specimens=(), lesions=lesions)
    found = comparators(None, None, cohort)["li_rads"]
    assert found["P1"] - found["P2"] == 2  # LR-5 and LR-3
    assert np.isnan(found["P3"])

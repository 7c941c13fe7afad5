import numpy as np
import pytest

from hepatica.cohort.phantom import Features, Lesion
from hepatica.radiology.phantom import lesions as ct
from hepatica.radiology.phantom.enhancement import Tissue
from hepatica.radiology.phantom.mr_signal import LOOKS, PICTURES, SIGNAL, mr_palette, weighted

LIVER = dict(zip(PICTURES, SIGNAL[Tissue.LIVER], strict=True))
MALIGNANT = ("hcc", "cholangiocarcinoma", "metastasis", "sarcoma", "neuroendocrine")


def body(kind: str) -> dict[str, float]:
    return dict(zip(PICTURES, LOOKS[kind].body, strict=True))


def test_mr_shows_what_ct_shows() -> None:
    assert set(LOOKS) == {*ct.LOOKS, ct.TREATED}
    assert set(SIGNAL) == set(Tissue)
    assert {len(each) for each in SIGNAL.values()} == {len(PICTURES)}


@pytest.mark.parametrize("kind", MALIGNANT)
def test_malignant_tumours_take_no_gadoxetate_up_and_are_bright_on_t2(kind: str) -> None:
    assert body(kind)["hepatobiliary"] < 0.5 * LIVER["hepatobiliary"]
    assert body("hemangioma")["t2"] > body(kind)["t2"] > 1.5 * LIVER["t2"]


def test_hcc_enhances_washes_out_and_hinders_diffusion() -> None:
    assert body("hcc")["arterial"] > 1.5 * LIVER["arterial"]
    assert body("hcc")["portal venous"] < LIVER["portal venous"]
    assert body("hcc")["adc"] < LIVER["adc"] < body("hemangioma")["adc"] < body("cyst")["adc"]


def test_invasion_lowers_the_adc() -> None:
    adc = [mr_palette().look(Lesion(kind="hcc", diameter_cm=3, infiltration=share)).body[-1] for share in (0, 0.5, 1)]
    assert np.diff(adc) == pytest.approx([-12.5, -12.5])


def test_features_are_shown_one_by_one() -> None:
    def look(**seen: bool) -> ct.Look:
        features = Features(**{"hyperenhancing": False, "washout": False, "capsule": False} | seen)
        return mr_palette().look(Lesion(kind="dysplastic nodule", diameter_cm=2, features=features))

    arterial, portal = PICTURES.index("arterial"), PICTURES.index("portal venous")
    assert look().body[arterial] == LIVER["arterial"] < look(hyperenhancing=True).body[arterial]
    assert look().body[portal] == LIVER["portal venous"] > look(washout=True).body[portal]
    assert look().rim_share == 0 < look(capsule=True).rim_share


def test_diffusion_weighting_decays_by_the_adc() -> None:
    pictures = np.zeros((len(PICTURES), 1, 1, 2), np.float32)
    pictures[PICTURES.index("t2")], pictures[PICTURES.index("adc")] = 100, [[[100, 300]]]
    seen = weighted(pictures)
    decay = np.log(seen["dwi_b0"] / seen["dwi_b600"]) / 600
    assert decay.ravel() == pytest.approx([1.0e-3, 3.0e-3], rel=1e-4)
    assert list(seen) == [*PICTURES[:-1], "dwi_b0", "dwi_b100", "dwi_b600"]

"""Zhen 2020: size of the network, what each variant reads, and the augmentation of images alone."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from hepatica.cohort import Binary, MultiClass
from hepatica.protocol import override
from hepatica.systems import zhen_2020
from hepatica.systems.zhen_2020 import SYSTEM


@pytest.mark.parametrize(("question", "outputs"), [("binary", 2), ("seven", 7), ("three", 3)])
def test_parameters_and_shape(question: str, outputs: int) -> None:
    """Inception-ResNet-v2 has 54,276,192 in Keras without its last layer, and 30,272 scales of normalisation more.

    Of six channels for three the first convolution, 32 kernels of 3 x 3, has 864 more. Ten columns, each with its gap,
    are read by a layer of 32; 1,536 maps and these by the last.
    """
    with torch.device("meta"):
        network = SYSTEM.build(override(SYSTEM.settings, {"question": question}), pretrained=False)
        inputs = {"mr": torch.zeros(2, 6, 299, 299), "table": torch.zeros(2, 10)}
        assert network(inputs).logits.shape == (2, outputs)
    own = (20 * 32 + 32) + (1536 + 32 + 1) * outputs
    assert sum(each.numel() for each in network.parameters()) == 54_276_192 + 30_272 + 864 + own


def test_without_contrast_three_sequences_are_read() -> None:
    plain = replace(SYSTEM.quick, contrast=False)
    assert plain.seen == ("pre", "t2", "dwi b600")
    assert SYSTEM.quick.seen == SYSTEM.quick.phases
    assert SYSTEM.build(plain, pretrained=False).body.conv1.in_channels == 3


def test_without_clinical_data_they_change_nothing() -> None:
    images, values = torch.rand(2, 6, 40, 40), torch.rand(2, 10)
    for clinical, alike in ((True, False), (False, True)):
        network = SYSTEM.build(replace(SYSTEM.quick, clinical=clinical), pretrained=False).eval()
        first, second = (network({"mr": images, "table": each}).logits for each in (values, values + 1))
        assert torch.equal(first, second) == alike


def test_each_question_is_a_task() -> None:
    tasks = {name: SYSTEM.tasks(replace(SYSTEM.settings, question=name))[0] for name in ("binary", "seven", "three")}
    assert isinstance(tasks["binary"], Binary)
    assert isinstance(tasks["seven"], MultiClass)
    assert len(tasks["seven"].classes) == 7
    assert set(tasks["three"].classes) < set(tasks["seven"].classes)


def test_images_alone_are_augmented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zhen_2020, "augment", lambda settings: lambda images: images + 1)
    monkeypatch.setattr(zhen_2020, "replace", lambda training, *, augment: augment)
    monkeypatch.setattr(
        zhen_2020, "train_lesions", lambda change: change({"mr": torch.zeros(1), "table": torch.zeros(1)})
    )
    found = zhen_2020.train(SimpleNamespace(settings=None))
    assert (float(found["mr"]), float(found["table"])) == (1, 0)

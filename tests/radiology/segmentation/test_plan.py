"""Plan: a lesion's voxels weigh more in the loss, whatever else is segmented."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from hepatica.learn import segmentation_loss
from hepatica.radiology.segmentation.plan import SegmentPlan


@pytest.mark.parametrize(("classes", "kept"), [(("liver", "lesions"), [0, 1, 2]), (("liver",), [0, 1]),
                                               (("lesions",), [0, 2])])  # fmt: skip
def test_weights_follow_their_classes(classes, kept) -> None:
    each = (0.5,) * len(classes)
    plan = SegmentPlan(
        epochs=1, batch=1, learning_rate=1.0, classes=classes, cuts=each, shares=each, class_weights=(0.5, 1, 9), dice=2
    )
    logits, labels = torch.rand(2, len(kept), 4, 4), torch.randint(len(kept), (2, 4, 4))
    weighted = cross_entropy(logits, labels, weight=torch.tensor([0.5, 1, 9])[kept])
    of_dice = segmentation_loss(dice=2)(logits, labels) - segmentation_loss(dice=0)(logits, labels)
    torch.testing.assert_close(plan.loss(logits, labels.float()), weighted + of_dice)

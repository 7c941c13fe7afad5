"""Learn: fit a network to samples with labels or targets, and ask it about others.

`hepatica.learn.fit` is imported from its own file: it brings Lightning, which takes seconds that only training pays.
"""

from hepatica.learn.augmentation import Augment, compose, erase, flips, jitter, mirror, noise, quarter_turns
from hepatica.learn.bags import Bags, Chosen, in_bags
from hepatica.learn.images import as_images, pixels_to_images
from hepatica.learn.infer import infer
from hepatica.learn.losses import (
    Loss,
    bound_normalised_error,
    cox_loss,
    cross_entropy_of_probabilities,
    dice_and_cross_entropy,
    discrete_risk,
    discrete_time_loss,
    gaussian_nll,
    likelihood_and_bound,
    segmentation_loss,
    smoothed_cross_entropy,
)
from hepatica.learn.plan import Epoch, History, Plan, Share
from hepatica.learn.samples import Arrays, Fresh, Inputs, OnDevice, Samples
from hepatica.learn.warps import Warp, crop, perspective, rotation, warp
from hepatica.learn.weights import load_weights, read_note, save_weights

__all__ = [
    "Arrays",
    "Augment",
    "Bags",
    "Chosen",
    "Epoch",
    "Fresh",
    "History",
    "Inputs",
    "Loss",
    "OnDevice",
    "Plan",
    "Samples",
    "Share",
    "Warp",
    "as_images",
    "bound_normalised_error",
    "compose",
    "cox_loss",
    "crop",
    "cross_entropy_of_probabilities",
    "dice_and_cross_entropy",
    "discrete_risk",
    "discrete_time_loss",
    "erase",
    "flips",
    "gaussian_nll",
    "in_bags",
    "infer",
    "jitter",
    "likelihood_and_bound",
    "load_weights",
    "mirror",
    "noise",
    "perspective",
    "pixels_to_images",
    "quarter_turns",
    "read_note",
    "rotation",
    "save_weights",
    "segmentation_loss",
    "smoothed_cross_entropy",
    "warp",
]

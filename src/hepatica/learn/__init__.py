"""Learn: fit a network to labelled samples, and ask it about others.

`hepatica.learn.fit` is imported from its own file: it brings Lightning, which takes seconds that only training pays.
"""

from hepatica.learn.augmentation import Augment, compose, erase, flips, noise, quarter_turns
from hepatica.learn.history import Epoch, History
from hepatica.learn.images import as_images
from hepatica.learn.infer import infer
from hepatica.learn.losses import Loss, cross_entropy_of_probabilities
from hepatica.learn.plan import Plan
from hepatica.learn.samples import Arrays, Inputs, OnDevice, Samples
from hepatica.learn.weights import load_weights, read_note, save_weights

__all__ = [
    "Arrays",
    "Augment",
    "Epoch",
    "History",
    "Inputs",
    "Loss",
    "OnDevice",
    "Plan",
    "Samples",
    "as_images",
    "compose",
    "cross_entropy_of_probabilities",
    "erase",
    "flips",
    "infer",
    "load_weights",
    "noise",
    "quarter_turns",
    "read_note",
    "save_weights",
]

"""Learn: fit a network to labelled samples, and ask it about others."""

from hepatica.learn.augmentation import Augment, compose, erase, flips, noise, quarter_turns
from hepatica.learn.fit import fit
from hepatica.learn.history import Epoch, History
from hepatica.learn.images import as_images
from hepatica.learn.infer import infer
from hepatica.learn.module import Classifier, Loss
from hepatica.learn.plan import Plan
from hepatica.learn.samples import Arrays, Inputs, Samples
from hepatica.learn.weights import load_weights, read_note, save_weights

__all__ = [
    "Arrays",
    "Augment",
    "Classifier",
    "Epoch",
    "History",
    "Inputs",
    "Loss",
    "Plan",
    "Samples",
    "as_images",
    "compose",
    "erase",
    "fit",
    "flips",
    "infer",
    "load_weights",
    "noise",
    "quarter_turns",
    "read_note",
    "save_weights",
]

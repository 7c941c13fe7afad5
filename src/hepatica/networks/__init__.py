"""Networks: the bricks that papers borrow."""

from hepatica.networks.backbone import backbone
from hepatica.networks.cnn_sasm import CnnSasm
from hepatica.networks.normalise import IMAGENET_MEAN, IMAGENET_SD, Normalise
from hepatica.networks.perceptron import perceptron
from hepatica.networks.pooled import Pooled
from hepatica.networks.reading import Reading
from hepatica.networks.side_by_side import SideBySide
from hepatica.networks.spectral_cnn import Estimates, SpectralBody, SpectralClassifier, SpectralEstimator
from hepatica.networks.tabular import Standardise, Tabular
from hepatica.networks.two_stage import TwoStage

__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_SD",
    "CnnSasm",
    "Estimates",
    "Normalise",
    "Pooled",
    "Reading",
    "SideBySide",
    "SpectralBody",
    "SpectralClassifier",
    "SpectralEstimator",
    "Standardise",
    "Tabular",
    "TwoStage",
    "backbone",
    "perceptron",
]

"""Networks: the bricks that papers borrow."""

from hepatica.networks.autoencoder import Autoencoder, Stacked, reconstruction_loss
from hepatica.networks.backbone import backbone
from hepatica.networks.cnn_sasm import CnnSasm
from hepatica.networks.heads import (
    IMAGENET_MEAN,
    IMAGENET_SD,
    Normalise,
    Pooled,
    Reading,
    SideBySide,
    TwoStage,
    perceptron,
)
from hepatica.networks.spectral_cnn import Estimates, SpectralBody, SpectralClassifier, SpectralEstimator
from hepatica.networks.tabular import Standardise, Tabular

__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_SD",
    "Autoencoder",
    "CnnSasm",
    "Estimates",
    "Normalise",
    "Pooled",
    "Reading",
    "SideBySide",
    "SpectralBody",
    "SpectralClassifier",
    "SpectralEstimator",
    "Stacked",
    "Standardise",
    "Tabular",
    "TwoStage",
    "backbone",
    "perceptron",
    "reconstruction_loss",
]

"""Networks: the bricks that papers borrow."""

from hepatica.networks.autoencoder import Autoencoder, Stacked, reconstruction_loss
from hepatica.networks.backbone import AlexNet, backbone, widened
from hepatica.networks.cnn_sasm import CnnSasm
from hepatica.networks.conventional import Conventional
from hepatica.networks.heads import (
    IMAGENET_MEAN,
    IMAGENET_SD,
    GridCrf,
    GridNetwork,
    Normalise,
    Pooled,
    Reading,
    SideBySide,
    TwoStage,
    perceptron,
)
from hepatica.networks.multiple_instance import (
    Attention,
    BagNetwork,
    BagReading,
    Chowder,
    Instances,
    NoisyAnd,
    TransMil,
    masked_max,
    masked_mean,
    masked_top,
)
from hepatica.networks.recurrent import Recurrent, Series
from hepatica.networks.spectral_cnn import Estimates, SpectralBody, SpectralClassifier, SpectralEstimator
from hepatica.networks.tabular import Boosted, NearestCentre, Standardise, Tabular, Trees
from hepatica.networks.unet import UNet
from hepatica.networks.volume import Volume

__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_SD",
    "AlexNet",
    "Attention",
    "Autoencoder",
    "BagNetwork",
    "BagReading",
    "Boosted",
    "Chowder",
    "CnnSasm",
    "Conventional",
    "Estimates",
    "GridCrf",
    "GridNetwork",
    "Instances",
    "NearestCentre",
    "NoisyAnd",
    "Normalise",
    "Pooled",
    "Reading",
    "Recurrent",
    "Series",
    "SideBySide",
    "SpectralBody",
    "SpectralClassifier",
    "SpectralEstimator",
    "Stacked",
    "Standardise",
    "Tabular",
    "TransMil",
    "Trees",
    "TwoStage",
    "UNet",
    "Volume",
    "backbone",
    "masked_max",
    "masked_mean",
    "masked_top",
    "perceptron",
    "reconstruction_loss",
    "widened",
]

"""Networks: the bricks that papers borrow."""

from hepatica.networks.backbone import backbone
from hepatica.networks.cnn_sasm import CnnSasm
from hepatica.networks.normalise import IMAGENET_MEAN, IMAGENET_SD, Normalise

__all__ = ["IMAGENET_MEAN", "IMAGENET_SD", "CnnSasm", "Normalise", "backbone"]

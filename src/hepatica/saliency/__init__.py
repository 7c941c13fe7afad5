"""Saliency: where a network looks, and where in a specimen the risk lies."""

from hepatica.saliency.flattened import flattened
from hepatica.saliency.grad_cam import grad_cam, hires_cam, slopes
from hepatica.saliency.heatmap import THIRDS, Band, geojson, overlay, save_overlay, write_geojson
from hepatica.saliency.importance import (
    Dependence,
    Drop,
    integrated_gradients,
    partial_dependence,
    permutation_importance,
)
from hepatica.saliency.smoe import RESNET_LAYERS, combined, gauss_norm, normalised, smoe, smoe_scale, smoe_watch
from hepatica.saliency.thresholds import Level, dice_at, levels, pointing, save_levels

__all__ = [
    "RESNET_LAYERS",
    "THIRDS",
    "Band",
    "Dependence",
    "Drop",
    "Level",
    "combined",
    "dice_at",
    "flattened",
    "gauss_norm",
    "geojson",
    "grad_cam",
    "hires_cam",
    "integrated_gradients",
    "levels",
    "normalised",
    "overlay",
    "partial_dependence",
    "permutation_importance",
    "pointing",
    "save_levels",
    "save_overlay",
    "slopes",
    "smoe",
    "smoe_scale",
    "smoe_watch",
    "write_geojson",
]

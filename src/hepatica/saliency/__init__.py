"""Explain: where a network looks, and where in a specimen the risk lies."""

from hepatica.saliency.deletion import area_under, deletion
from hepatica.saliency.fast_cam import fast_cam
from hepatica.saliency.flattened import flattened
from hepatica.saliency.grad_cam import grad_cam
from hepatica.saliency.heatmap import THIRDS, Band, geojson, overlay, save_overlay, write_geojson
from hepatica.saliency.hires_cam import hires_cam
from hepatica.saliency.lovi import lovi
from hepatica.saliency.map_norms import Norm, gamma_norm, gauss_norm, range_norm
from hepatica.saliency.overlap import dice_at
from hepatica.saliency.pointing import pointing
from hepatica.saliency.slopes import slopes
from hepatica.saliency.smoe import RESNET_LAYERS, combined, normalised, smoe, smoe_scale, smoe_watch
from hepatica.saliency.thresholds import Level, levels, save_levels

__all__ = [
    "RESNET_LAYERS",
    "THIRDS",
    "Band",
    "Level",
    "Norm",
    "area_under",
    "combined",
    "deletion",
    "dice_at",
    "fast_cam",
    "flattened",
    "gamma_norm",
    "gauss_norm",
    "geojson",
    "grad_cam",
    "hires_cam",
    "levels",
    "lovi",
    "normalised",
    "overlay",
    "pointing",
    "range_norm",
    "save_levels",
    "save_overlay",
    "slopes",
    "smoe",
    "smoe_scale",
    "smoe_watch",
    "write_geojson",
]

"""Explain: where a network looks, and where in a specimen the risk lies."""

from hepatica.explain.deletion import area_under, deletion
from hepatica.explain.fast_cam import fast_cam
from hepatica.explain.flattened import flattened
from hepatica.explain.grad_cam import grad_cam
from hepatica.explain.heatmap import THIRDS, Band, geojson, overlay, save_overlay, write_geojson
from hepatica.explain.hires_cam import hires_cam
from hepatica.explain.lovi import lovi
from hepatica.explain.map_norms import Norm, gamma_norm, gauss_norm, range_norm
from hepatica.explain.overlap import dice_at
from hepatica.explain.pointing import pointing
from hepatica.explain.slopes import slopes
from hepatica.explain.smoe import RESNET_LAYERS, combined, normalised, smoe, smoe_scale, smoe_watch
from hepatica.explain.thresholds import Level, levels, save_levels

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

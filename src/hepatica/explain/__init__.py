"""Explain: where a network looks, and where in a specimen the risk lies."""

from hepatica.explain.grad_cam import grad_cam
from hepatica.explain.heatmap import THIRDS, Band, geojson, overlay, save_overlay, write_geojson
from hepatica.explain.hires_cam import hires_cam
from hepatica.explain.slopes import slopes
from hepatica.explain.thresholds import Level, levels, save_levels

__all__ = [
    "THIRDS",
    "Band",
    "Level",
    "geojson",
    "grad_cam",
    "hires_cam",
    "levels",
    "overlay",
    "save_levels",
    "save_overlay",
    "slopes",
    "write_geojson",
]

"""Explain: where a network looks, and where in a specimen the risk lies."""

from hepatica.explain.grad_cam import grad_cam
from hepatica.explain.heatmap import THIRDS, Band, geojson, overlay, save_overlay, write_geojson

__all__ = ["THIRDS", "Band", "geojson", "grad_cam", "overlay", "save_overlay", "write_geojson"]

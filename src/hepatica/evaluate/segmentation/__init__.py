"""Segmentation: how far predicted masks lie from true ones, case by case and over patients."""

__all__ = [
    "cases",
    "instances",
    "lesions",
    "overlap",
]

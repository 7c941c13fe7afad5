"""Segmentation: how far predicted masks lie from true ones, case by case and over patients."""

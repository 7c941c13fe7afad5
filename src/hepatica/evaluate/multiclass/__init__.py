"""Multiclass: numbers with intervals for outcomes of several classes, ordered or not, and one score a class."""

__all__ = ["metrics"]

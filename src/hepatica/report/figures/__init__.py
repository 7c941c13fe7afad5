"""Figures: plots that several chapters draw."""

__all__ = ["boxes", "calibration_curve", "forest", "kaplan_meier", "scatter"]

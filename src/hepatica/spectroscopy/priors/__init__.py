"""Priors: distributions of concentrations, shifts and widths before a spectrum is seen."""

__all__ = ["concentrations", "priors"]

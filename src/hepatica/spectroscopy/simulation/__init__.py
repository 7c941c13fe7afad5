"""Simulation: spectra of known concentrations with everything that disturbs real ones."""

__all__ = ["nuisance", "simulate", "simulated_samples", "synthesis"]

"""Simulation: spectra of known concentrations with everything that disturbs real ones."""

__all__ = ["damped", "distort", "nuisance", "simulate", "simulated_samples"]

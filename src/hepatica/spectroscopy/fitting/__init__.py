"""Fitting: concentrations by least squares or with priors, with their bounds."""

__all__ = [
    "baseline",
    "bounds",
    "brain_fit",
    "coord_fit",
    "fit",
    "fit_picture",
    "least_squares",
    "levenberg_marquardt",
    "multistart",
    "prior_terms",
    "quantities",
    "signal_model",
    "water_scaling",
]

"""Fitting: concentrations by least squares or with priors, with their bounds."""

__all__ = [
    "baseline",
    "bounds",
    "brain_fit",
    "coord_fit",
    "fit",
    "fit_picture",
    "gauss_newton",
    "gaussian_prior",
    "levenberg_marquardt",
    "macromolecules",
    "map_fit",
    "multistart",
    "nls",
    "penalty",
    "quantities",
    "shared_fit",
    "signal_model",
    "soft_constraints",
    "water_scaling",
]

"""Models: small statistical models fitted to tables."""

__all__ = ["discriminant", "logistic", "nomogram", "stacking"]

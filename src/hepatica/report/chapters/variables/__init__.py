"""Variables: chapters of what is known of patients beside the specimen: covariates, subgroups, other scores."""

__all__ = ["comparators", "covariates", "importance", "missing", "nomogram", "subgroups"]

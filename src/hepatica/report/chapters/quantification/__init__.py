"""Quantification: methods compared on simulated specimens of known content.

Tables of the run's folder: `quantified.parquet`, a row a specimen (column spectrum), target and method: truth,
estimate, sd, crlb and bayesian (bounds on the standard deviation), seconds, and nuisance, the kind of specimen;
`robustness.parquet`, a row a condition (sweep, level), method and target: mae, the mean |error|.
"""

__all__ = ["bounds", "compared", "errors", "robustness", "spectra"]

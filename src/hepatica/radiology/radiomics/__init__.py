"""Radiomics: numbers that describe the brightness, the shape and the texture of a lesion, by the IBSI's definitions."""

from hepatica.radiology.radiomics.features import RadiomicsSettings, features

__all__ = ["RadiomicsSettings", "features"]

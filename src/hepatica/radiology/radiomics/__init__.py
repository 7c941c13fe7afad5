"""Radiomics: numbers that describe the brightness, the shape and the texture of a lesion, by the IBSI's definitions."""

from hepatica.radiology.radiomics.features import RadiomicsSettings, features
from hepatica.radiology.radiomics.stability import Perturbation, stability

__all__ = ["Perturbation", "RadiomicsSettings", "features", "stability"]

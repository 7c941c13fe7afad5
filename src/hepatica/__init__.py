"""Hepatica: published deep-learning systems for hepatocellular carcinoma, made to work on your cohort."""

from importlib.metadata import version

__version__ = version("hepatica")

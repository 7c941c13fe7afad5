"""Deidentify: removal of a patient's identity from DICOM studies."""

__all__ = ["burned_in", "confidentiality", "deidentify"]

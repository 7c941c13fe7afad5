"""Deidentify: removal of a patient's identity from DICOM studies."""

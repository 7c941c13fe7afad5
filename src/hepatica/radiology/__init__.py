"""Radiology: CT and MR series, from DICOM in to DICOM out."""

"""DICOM: files, archives and folders to sorted, calibrated volumes; NIfTI and pictures too."""

__all__ = [
    "decode",
    "frames",
    "geometry",
    "header",
    "hounsfield",
    "magnitude",
    "nifti",
    "patients",
    "scans",
    "selection",
    "series",
    "sources",
    "stack",
    "volume",
    "weighting",
]

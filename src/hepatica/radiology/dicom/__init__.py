"""DICOM: files, archives and folders to sorted, calibrated volumes; NIfTI and pictures too."""

__all__ = [
    "codecs",
    "decode",
    "duplicates",
    "frames",
    "geometry",
    "header",
    "hounsfield",
    "nifti",
    "pictures",
    "scans",
    "series",
    "sources",
    "stack",
    "volume",
]

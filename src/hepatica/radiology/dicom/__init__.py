"""DICOM: files, archives and folders to sorted, calibrated volumes; NIfTI and pictures too."""

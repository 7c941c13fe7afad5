"""Reading: spectra in the file formats of manufacturers and of other programs."""

__all__ = ["coord", "dicom_mrs", "lcmodel_raw", "nifti_mrs", "read", "sdat", "siemens"]

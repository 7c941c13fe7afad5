"""Results: what a model found, as DICOM objects beside the study."""

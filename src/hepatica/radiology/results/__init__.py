"""Results: what a model found, as DICOM objects beside the study."""

__all__ = ["deliver", "derived", "derived_images", "evidence", "result", "structured_report"]

"""Results: what a model found, as DICOM objects beside the study."""

__all__ = [
    "deliver",
    "derived",
    "dicom_results",
    "evidence",
    "parametric_map",
    "result",
    "secondary_capture",
    "segmentation",
    "structured_report",
]

"""Follow-up: chapters of events over time."""

__all__ = [
    "clinical_model",
    "factors",
    "indicators",
    "lead_time",
    "progression",
    "survival",
    "treated",
    "treatment_effect",
]

"""Follow-up: chapters of events over time."""

__all__ = ["clinical_model", "factors", "indicators", "progression", "survival", "treated", "treatment_effect"]

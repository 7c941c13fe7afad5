"""Follow-up: chapters of events over time."""

__all__ = [
    "ablation",
    "clinical_model",
    "factors",
    "indicators",
    "lead_time",
    "over_time",
    "progression",
    "survival",
    "treated",
    "treatment_effect",
]

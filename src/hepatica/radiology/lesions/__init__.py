"""Lesions: crops of focal lesions over the phases of a study, from lesions.csv and masks."""

__all__ = ["crops", "deliver", "marks", "measures", "picture", "room", "store"]

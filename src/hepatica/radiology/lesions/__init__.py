"""Lesions: crops of focal lesions over the phases of a study, from lesions.csv and masks."""

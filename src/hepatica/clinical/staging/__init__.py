"""Staging: how far a tumour has come, by published systems; `hepatica.clinical.scores.SCORES` has them all."""

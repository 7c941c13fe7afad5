"""Omics: molecular tables, such as gene expression, one row a patient, and networks of their genes."""

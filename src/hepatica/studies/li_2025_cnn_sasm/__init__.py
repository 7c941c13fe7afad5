"""Li 2025: every analysis of doi 10.1186/s12916-025-03977-4 on a cohort of one's own."""

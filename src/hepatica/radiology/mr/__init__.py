"""MR: what each series of a study shows, its signal made comparable, and diffusion coefficients."""

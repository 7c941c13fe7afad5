"""Basis: the signal of each metabolite and lipid, simulated or read from a file."""

__all__ = [
    "basis",
    "basis_file",
    "basis_picture",
    "density_matrix",
    "jmrui_basis",
    "lcmodel_basis",
    "ppm_reference",
    "pulse_sequence",
    "simulated_basis",
    "spin_system",
]

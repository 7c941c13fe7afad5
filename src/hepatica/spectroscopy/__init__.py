"""Spectroscopy: 1H-MRS of the liver: basis, simulation, reading, quantities and a phantom of it."""

"""Pathology: slides, tissue, tiles, stain and a phantom of them."""

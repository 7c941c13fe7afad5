"""Documents: the model card, the page of a system and the page of quantified spectra."""

__all__ = ["card", "quantities_page", "system_page"]

"""Phase: the contrast phase of a series, from its header and its image."""

__all__ = ["phase", "phase_tags"]

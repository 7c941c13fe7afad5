"""Phase: the contrast phase of a series, from its header and its image."""

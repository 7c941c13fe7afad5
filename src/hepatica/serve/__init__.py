"""Serve: the workbench in a browser, its programming interface, and the node that an archive of images talks to."""

__all__: list[str] = []

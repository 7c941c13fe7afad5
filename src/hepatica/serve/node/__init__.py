"""Node: what an archive of images talks to: studies in by C-STORE and STOW-RS, results out, each once."""

__all__: list[str] = []

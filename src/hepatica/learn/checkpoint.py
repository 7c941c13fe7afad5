"""Checkpoint: the state of a training half done, written by Lightning without pickle."""

from pathlib import Path
from typing import Any

from lightning.fabric.plugins import CheckpointIO
from lightning.fabric.utilities.types import _PATH

from hepatica.learn.tree import load_tree, save_tree


class SafeCheckpoints(CheckpointIO):
    """Lightning's checkpoints as safetensors files, whole or not at all."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: _PATH, storage_options: Any = None) -> None:
        """Write a checkpoint."""
        save_tree(checkpoint, Path(path))

    def load_checkpoint(self, path: _PATH, map_location: Any = None, weights_only: bool | None = None) -> Any:
        """Read a checkpoint onto the CPU; Lightning moves it to the device."""
        return load_tree(Path(path))

    def remove_checkpoint(self, path: _PATH) -> None:
        """Remove a checkpoint."""
        Path(path).unlink(missing_ok=True)

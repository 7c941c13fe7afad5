"""Side by side: several networks that read the same images, kept and locked as one."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn


class SideBySide(nn.Module):
    """What each of `parts` says of a batch, by its name; the parts are trained one by one."""

    def __init__(self, parts: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ModuleDict(dict(parts))

    def forward(self, images: Tensor) -> dict[str, Any]:
        """Show a batch to every part."""
        return {name: part(images) for name, part in self.parts.items()}

"""Two-stage: an extractor of signatures and one head a target, kept and locked as one network."""

from collections.abc import Mapping

from torch import nn


class TwoStage(nn.Module):
    """`extractor` reads an image or a tile of it, each of `heads` a signature; the stages are trained one by one."""

    def __init__(self, extractor: nn.Module, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.extractor = extractor
        self.heads = nn.ModuleDict(dict(heads))

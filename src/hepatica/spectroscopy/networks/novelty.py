"""Novelty: the distance of a spectrum from those the networks learnt from, by signature and by spectrum."""

from collections.abc import Iterable

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from torch import Tensor, nn

from hepatica.networks.spectral_cnn import TwoScales

DIRECTIONS = 48
"""Principal directions of squeezed spectra that count as known (ours); what lies off them is noise, or novel."""

KNOWN_SHARE = 0.99
"""Share of simulated spectra that count as known (ours): one of 100 is a false alarm."""


def squeezed(spectra: Tensor) -> Tensor:
    """(b, 2 w) of (b, 2, 1, w) spectra: in units of their noise, large values squeezed."""
    scaled, _ = TwoScales().forward(spectra)
    return rearrange(scaled[:, :2], "b c h w -> b (c h w)")


def novelty_flags(novelty: Iterable[float]) -> list[tuple[str, ...]]:
    """A flag of spectra of a novelty above 1, none of known ones."""
    flag = "unlike the training spectra of the networks: {:.1f} times as distant as nearly all of these"
    return [(flag.format(each),) if each > 1 else () for each in novelty]


class Novelty(nn.Module):
    """Novelty (b,) of spectra, above 1 where it is greater than that of nearly all known ones.

    The greatest of three: Mahalanobis' distance of the network's signature (b, d) from the known ones (Lee 2018, arXiv
    1807.03888); that of the squeezed spectrum (b, f) along their principal directions; and the length of what lies off
    these (Jackson and Mudholkar 1979, doi 10.1080/00401706.1979.10489779). Each in units of the farthest known one.
    """

    signature: Tensor
    precision: Tensor
    spectrum: Tensor
    directions: Tensor
    spread: Tensor
    farthest: Tensor

    def __init__(self, *, signature: int, features: int) -> None:
        super().__init__()
        self.register_buffer("signature", torch.zeros(signature))
        self.register_buffer("precision", torch.eye(signature))
        self.register_buffer("spectrum", torch.zeros(features))
        self.register_buffer("directions", torch.zeros(features, min(DIRECTIONS, features)))
        self.register_buffer("spread", torch.ones(min(DIRECTIONS, features)))
        self.register_buffer("farthest", torch.ones(3))

    def forward(self, signature: Tensor, squeezed: Tensor) -> Tensor:
        """Novelty of a batch."""
        return (self._distances(signature, squeezed) / self.farthest).amax(dim=1)

    def learn(self, signature: NDArray[np.float32], squeezed: NDArray[np.float32]) -> None:
        """Take n spectra as known, in place: half set location and directions, the others the farthest distance.

        Their halves must be more than DIRECTIONS.
        """
        half = len(signature) // 2
        known, found = LedoitWolf(), PCA(self.directions.shape[1], random_state=0)
        known.fit(signature[:half].astype(float))
        found.fit(squeezed[:half].astype(float))
        for buffer, values in (
            (self.signature, known.location_),
            (self.precision, known.precision_),
            (self.spectrum, found.mean_),
            (self.directions, found.components_.T),
            (self.spread, np.sqrt(found.explained_variance_)),
        ):
            buffer.copy_(torch.from_numpy(values))
        distances = self._distances(torch.from_numpy(signature[half:]), torch.from_numpy(squeezed[half:]))
        self.farthest.copy_(distances.quantile(1 - (1 - KNOWN_SHARE) / distances.shape[1], dim=0))

    def _distances(self, signature: Tensor, squeezed: Tensor) -> Tensor:
        away, off = signature - self.signature, squeezed - self.spectrum
        inside = torch.einsum("bi,ij,bj->b", away, self.precision, away).clamp(min=0).sqrt()
        along = off @ self.directions
        off = off - along @ self.directions.T
        return torch.stack([inside, (along / self.spread).norm(dim=1), off.norm(dim=1)], dim=1)

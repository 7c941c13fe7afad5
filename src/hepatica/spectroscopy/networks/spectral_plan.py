"""Spectral plan: the acquisition that networks learn, their architecture, their number and their training spectra."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, PositiveFloat, PositiveInt

from hepatica.learn import Fresh, Plan
from hepatica.networks import SpectralBody
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.signal_model import SignalModel
from hepatica.spectroscopy.signal.acquisition import Acquisition, Sequence
from hepatica.spectroscopy.simulation.nuisance import OF_MODEL, STANDARD, Effects

Share = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True, kw_only=True)
class SpectralPlan(Plan):
    """Numbers of a training on simulated spectra; all are ours, since the paper gives none.

    The acquisition is 3 T liver PRESS by default; see `Acquisition`.
    """

    f0_mhz: PositiveFloat = 127.74
    """Frequency of protons, MHz; 127.74 is 3 T."""
    bandwidth_hz: PositiveFloat = 2000.0
    """Sampling frequency, Hz."""
    points: Annotated[int, Field(ge=256)] = 1024
    """Samples of the signal."""
    sequence: Sequence = "press"
    """Pulse sequence."""
    te_ms: PositiveFloat = 35.0
    """Echo time, ms."""
    tr_ms: PositiveFloat = 2000.0
    """Repetition time, ms."""
    effects: Literal["all", "of_model"] = "all"
    """Nuisance effects in simulated spectra: all, or only those in the signal model of the fits."""
    members: PositiveInt = 3
    """Networks with different initial weights and training spectra, whose outputs are averaged."""
    width: PositiveInt = 16
    """Channels of the first convolution."""
    depth: PositiveInt = 1
    """Blocks at each resolution."""
    hidden: PositiveInt = 384
    """Width of the layer after the convolutions."""
    signature: PositiveInt = 256
    """Length of the signature."""
    dropout: Share = 0.0
    """Share of units dropped before the output."""
    per_epoch: Annotated[int, Field(ge=2)] = 51_200
    """Spectra simulated for each epoch of each member."""
    held_out: Annotated[int, Field(ge=128)] = 4_000
    """Further simulated spectra, for the calibration of intervals, temperature and cut-off."""
    epochs: int = 40
    batch: Annotated[int, Field(ge=2)] = 128
    learning_rate: float = 2e-3
    schedule: Literal["steps", "cosine"] = "cosine"
    warmup_epochs: int = 1
    weight_decay: float = 1e-5

    @property
    def acquisition(self) -> Acquisition:
        """The acquisition in which spectra are simulated, and to which measured ones are converted."""
        return Acquisition(
            f0_mhz=self.f0_mhz,
            bandwidth_hz=self.bandwidth_hz,
            points=self.points,
            sequence=self.sequence,
            te_ms=self.te_ms,
            tr_ms=self.tr_ms,
        )

    @property
    def model(self) -> SignalModel:
        """The signal model of the default targets in this acquisition."""
        return _model(self.acquisition)

    @property
    def simulated(self) -> Effects:
        """The nuisances of simulated spectra."""
        return STANDARD if self.effects == "all" else OF_MODEL

    def fit(
        self, members: Iterable[Any], streams: Iterable[Fresh], *, name: str, folder: Path, **known: Any
    ) -> dict[str, Any]:
        """Fit members in place, each on its own stream and from its own seed; what a report should say of it.

        Goes on in `folder` where it was stopped; `known` are further arguments of `learn.fit`, whose errors it raises.
        """
        # Lightning takes seconds to import, which only training needs to pay.
        from hepatica.learn.fit import fit

        histories = [
            fit(
                member,
                stream,
                replace(self, seed=self.seed + number),
                folder=folder / f"{name.lower()}_{number}",
                label=f"{name} {number + 1} of {self.members}",
                **known,
            )
            for number, (member, stream) in enumerate(zip(members, streams, strict=True))
        ]
        return {
            "simulated training spectra per member": self.per_epoch * len(histories[0].epochs),
            "loss of each member": ", ".join(f"{each.epochs[each.best].train_loss:.3f}" for each in histories),
        }

    def bodies(self) -> list[SpectralBody]:
        """Untrained bodies of the members; the same weights from one seed."""
        torch.manual_seed(self.seed)
        return [
            SpectralBody(
                points=self.model.ppm.size,
                width=self.width,
                depth=self.depth,
                hidden=self.hidden,
                signature=self.signature,
                dropout=self.dropout,
            )
            for _ in range(self.members)
        ]


@lru_cache(maxsize=8)
def _model(acquisition: Acquisition) -> SignalModel:
    return SignalModel(basis=simulate_basis(acquisition))

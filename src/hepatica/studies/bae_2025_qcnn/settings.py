"""Settings: every number of the study, those of the classifier, of the quantifier and of what they are tested on."""

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from hepatica.systems.bae_2025_ccnn import SYSTEM as CCNN
from hepatica.systems.bae_2025_ccnn import Settings
from hepatica.systems.bae_2025_qcnn import SYSTEM as QCNN
from hepatica.systems.bae_2025_qcnn import Settings as QcnnSettings

QUANTIFIER = "quantifier"
"""Folder of the qCNNs' run within the study's."""


@dataclass(frozen=True, kw_only=True)
class StudySettings(Settings):
    """Settings of the cCNNs, and of the study around them (all ours).

    `spectra` simulated for the comparison of quantifiers, once with the nuisance of the signal model alone, where
    bounds hold, and once with everything; `swept` for each condition of robustness. `qcnn_` numbers are those of the
    quantifier's training; its acquisition, shape, split and seed are the cCNNs'.
    """

    spectra: Annotated[int, Field(ge=60)] = 1000
    swept: Annotated[int, Field(ge=8)] = 128
    qcnn_effects: Literal["all", "of_model"] = "all"
    qcnn_members: PositiveInt = QCNN.settings.members
    qcnn_per_epoch: Annotated[int, Field(ge=2)] = QCNN.settings.per_epoch
    qcnn_held_out: Annotated[int, Field(ge=128)] = QCNN.settings.held_out
    qcnn_epochs: PositiveInt = QCNN.settings.epochs

    @property
    def quantifier(self) -> QcnnSettings:
        """Settings of the qCNNs."""
        shared = ("f0_mhz", "bandwidth_hz", "points", "sequence", "te_ms", "tr_ms", "test", "validation", "seed")
        own = {
            name: getattr(self, f"qcnn_{name}") for name in ("effects", "members", "per_epoch", "held_out", "epochs")
        }
        shape = {name: getattr(self, name) for name in ("width", "depth", "hidden", "signature", "endpoint")}
        return replace(QCNN.settings, **{name: getattr(self, name) for name in shared}, **own, **shape)


QUICK = replace(
    StudySettings(),
    **{name: getattr(CCNN.quick, name) for name in ("members", "per_epoch", "held_out", "epochs", "batch")},
    spectra=400,
    swept=32,
    qcnn_members=2,
    qcnn_per_epoch=QCNN.quick.per_epoch,
    qcnn_held_out=QCNN.quick.held_out,
    qcnn_epochs=2 * QCNN.quick.epochs,
)
"""Minutes on two cores."""

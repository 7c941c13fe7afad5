"""Protocol: what a published system declares, and what most of them do alike."""

from hepatica.protocol.records import (
    Deliver,
    Draw,
    Inference,
    Material,
    ModelIdentity,
    Paper,
    Room,
    Saliency,
    Training,
)
from hepatica.protocol.settings import as_plain, from_plain, override
from hepatica.protocol.system import System

__all__ = [
    "Deliver",
    "Draw",
    "Inference",
    "Material",
    "ModelIdentity",
    "Paper",
    "Room",
    "Saliency",
    "System",
    "Training",
    "as_plain",
    "from_plain",
    "override",
]

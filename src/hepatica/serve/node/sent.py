"""Sent: what became of objects that were sent to an archive."""

from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Sent:
    """How many objects the archive has, and of which kinds it refused some for good, with its reason."""

    stored: int = 0
    refused: dict[str, str] = field(default_factory=dict)


DUPLICATE = 0x0111
"""Duplicate SOP instance (PS3.7 C.5.7): the archive has the object already, which is what was asked for."""


def is_stored(status: int) -> bool:
    """Whether the archive has the object: success, or a warning (PS3.4 B.2.3)."""
    return status in (0x0000, DUPLICATE) or 0xB000 <= status <= 0xBFFF


def is_final(status: int) -> bool:
    """Whether the archive will never take the object: its class, or its content, is not to its liking."""
    return status == 0x0122 or 0xA900 <= status <= 0xA9FF or 0xC000 <= status <= 0xCFFF

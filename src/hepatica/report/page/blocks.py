"""Blocks: what a report page is made of, sections of paragraphs, tables, figures and lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True, kw_only=True)
class Text:
    """A paragraph; `tone` is `plain`, `note` (small print) or `warning` (a conspicuous box)."""

    kind: ClassVar[str] = "text"
    text: str
    tone: str = "plain"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table; the first column names the row, a row of one cell is a subheading."""

    kind: ClassVar[str] = "table"
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One picture of a figure, as a data address; `alt` says in words what it shows."""

    source: str
    alt: str


Columns = Literal[1, 2, 3, "strip"]
"""Panels side by side; `strip` is one narrow and one wide panel."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Panels under one caption: side by side on a wide screen, below each other on a phone."""

    kind: ClassVar[str] = "figure"
    caption: str
    panels: Sequence[Panel]
    columns: Columns = 2


@dataclass(frozen=True, kw_only=True)
class Quotation:
    """Text kept as it was written, such as the header of a system file."""

    kind: ClassVar[str] = "quotation"
    caption: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Answers:
    """A checklist; each row has item, topic, asks, answered (`answered`, `partly`, `authors`), section and note."""

    kind: ClassVar[str] = "answers"
    caption: str
    rows: Sequence[dict[str, str]]


Block = Text | Table | Figure | Quotation | Answers


@dataclass(frozen=True, kw_only=True)
class Section:
    """A chapter of the report; `anchor` is its address on the page."""

    anchor: str
    title: str
    blocks: Sequence[Block]

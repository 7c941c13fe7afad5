"""Gallery: draws each panel once, as PNG and SVG files for papers and as a picture inside the report."""

import base64
from collections.abc import Callable
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from hepatica.cohort.atomic import replacing
from hepatica.report.blocks import Panel
from hepatica.report.style import PANEL, RC, stamp_phantom


class Gallery:
    """The folder of a report's figures; where patients are phantoms it writes so into every one of them."""

    def __init__(self, folder: Path, *, phantom: bool) -> None:
        self.folder = folder
        self.phantom = phantom

    def draw(self, name: str, paint: Callable[[Figure], None], *, alt: str, size: tuple[float, float] = PANEL) -> Panel:
        """Let `paint` draw on an empty figure of `size` inches, and write it as `name`.png and `name`.svg."""
        with rc_context(RC):
            figure = Figure(figsize=size, layout="constrained")
            paint(figure)
            if self.phantom:
                stamp_phantom(figure)
            figure.draw_without_rendering()
            figure.set_layout_engine("none")  # laid out once, for both formats
            for suffix, metadata in (("png", {"Software": None}), ("svg", {"Date": None, "Creator": None})):
                with replacing(self.folder / f"{name}.{suffix}") as temporary:
                    figure.savefig(temporary, metadata=metadata)
        return self.show(self.folder / f"{name}.svg", alt=alt)

    def show(self, picture: Path, *, alt: str) -> Panel:
        """Take up a picture that was drawn elsewhere."""
        return Panel(source=_as_data(picture), alt=f"Phantom. {alt}" if self.phantom else alt)


def _as_data(path: Path) -> str:
    """A picture file as a data address, so that the page needs no second file."""
    kind = {".svg": "svg+xml", ".png": "png"}[path.suffix]
    return f"data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"

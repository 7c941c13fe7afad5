"""Gallery: draws each panel once, as PNG and SVG files for papers and as a picture inside the report."""

import base64
from collections.abc import Callable, Iterable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import Collection
from matplotlib.figure import Figure as Drawing
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from PIL import Image

from hepatica.cohort import Target
from hepatica.cohort.atomic import replacing
from hepatica.report.page.blocks import Columns, Figure, Panel
from hepatica.report.page.results import Results
from hepatica.report.page.style import PANEL, RC, stamp_phantom
from hepatica.report.page.wording import about

LONGEST = 1400
"""Pixels of the longer side of a picture taken into the page."""


MOST_POINTS = 300
"""Marks or corners of one series beyond which it is drawn as pixels in SVG (ours): there each mark takes 170 bytes."""


PIXELS_PER_INCH = 120
"""Of what is drawn as pixels in SVG (ours): a page shows a panel of 4 inches at about 400 pixels."""


class Gallery:
    """The folder of a report's figures; where patients are phantoms it writes so into every one of them."""

    def __init__(self, folder: Path, *, phantom: bool) -> None:
        self.folder = folder
        self.phantom = phantom

    def draw(
        self, name: str, paint: Callable[[Drawing], None], *, alt: str, size: tuple[float, float] = PANEL
    ) -> Panel:
        """Let `paint` draw on an empty figure of `size` inches, and write it as `name`.png and `name`.svg."""
        with rc_context(RC):
            figure = Drawing(figsize=size, layout="constrained")
            paint(figure)
            _thin(figure)
            if self.phantom:
                stamp_phantom(figure)
            ConstrainedLayoutEngine().execute(figure)
            figure.set_layout_engine("none")  # laid out once, for both formats; savefig would do so for each
            figure.set_dpi(RC["savefig.dpi"])
            png: Any = FigureCanvasAgg(figure)
            with replacing(self.folder / f"{name}.png") as temporary:
                png.print_png(temporary, metadata={"Software": None})
            figure.set_dpi(PIXELS_PER_INCH)
            svg: Any = FigureCanvasSVG(figure)
            with replacing(self.folder / f"{name}.svg") as temporary:
                svg.print_svg(temporary, metadata={"Date": None, "Creator": None})
        return self._panel((self.folder / f"{name}.svg").read_bytes(), kind="svg+xml", alt=alt)

    def by_cohort(
        self,
        name: str,
        cohorts: Iterable[Results],
        paint: Callable[..., None],
        *,
        caption: str,
        alt: str | Callable[[Results], str],
        size: tuple[float, float] = PANEL,
        columns: Columns = 2,
    ) -> Figure:
        """A figure with a panel a cohort, each by `paint(figure, results=)`; the cohort ends `alt` where it is text."""
        panels = [
            self.draw(
                f"{name}_{each.key}",
                partial(paint, results=each),
                alt=f"{alt}, {each.title}" if isinstance(alt, str) else alt(each),
                size=size,
            )
            for each in cohorts
        ]
        return Figure(caption=caption, panels=panels, columns=columns)

    def by_target(
        self,
        name: str,
        pairs: Iterable[tuple[Results, Target]],
        paint: Callable[..., None],
        *,
        caption: str,
        alt: str,
        size: tuple[float, float] = PANEL,
        columns: Columns = 2,
    ) -> Figure:
        """The same with a panel a cohort and target, each by `paint(figure, results=, target=)`."""
        panels = [
            self.draw(
                f"{name}_{target.key}_{each.key}",
                partial(paint, results=each, target=target),
                alt=f"{alt} for {about(target)}, {each.title}",
                size=size,
            )
            for each, target in pairs
        ]
        return Figure(caption=caption, panels=panels, columns=columns)

    def show(self, picture: Path, *, alt: str) -> Panel:
        """Take up a picture that was drawn elsewhere, as JPEG at the size of a page: slides as PNG weigh megabytes."""
        with Image.open(picture) as opened:
            return self.picture(opened, alt=alt)

    def picture(self, opened: Image.Image, *, alt: str, longest: int = LONGEST) -> Panel:
        """The same of a picture that lies in no file, its longer side at most `longest` pixels."""
        image = opened.convert("RGB")
        image.thumbnail((longest, longest))
        encoded = BytesIO()
        image.save(encoded, format="JPEG", quality=85)
        return self._panel(encoded.getvalue(), kind="jpeg", alt=alt)

    def _panel(self, content: bytes, *, kind: str, alt: str) -> Panel:
        data = base64.b64encode(content).decode("ascii")
        return Panel(source=f"data:image/{kind};base64,{data}", alt=f"Phantom. {alt}" if self.phantom else alt)


def _thin(figure: Drawing) -> None:
    for artist in figure.findobj():
        if _points(artist) > MOST_POINTS:
            artist.set_rasterized(True)


def _points(artist: Artist) -> int:
    if isinstance(artist, Line2D):
        return np.size(artist.get_xdata())
    if isinstance(artist, Collection):
        corners = [np.size(each.vertices) for each in artist.get_paths()]
        return max(np.size(artist.get_offsets()), sum(corners)) // 2
    return 0

"""Assets: the files that pages load in the browser: ours, and those of npm packages, which set-up copies here."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

from hepatica.cohort.errors import UnavailableError
from hepatica.serve.refusals import NotFoundError

STATIC = Path(__file__).parent / "static"
VENDOR = STATIC / "vendor"

COPIED = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "htmx.LICENSE": "htmx.org/LICENSE",
    "openseadragon.min.js": "openseadragon/build/openseadragon/openseadragon.min.js",
    "openseadragon.LICENSE": "openseadragon/LICENSE.txt",
    "niivue.umd.js": "@niivue/niivue/dist/niivue.umd.js",
    "niivue.README.md": "@niivue/niivue/README.md",
    "uPlot.iife.min.js": "uplot/dist/uPlot.iife.min.js",
    "uPlot.min.css": "uplot/dist/uPlot.min.css",
    "uplot.LICENSE": "uplot/LICENSE",
    **{f"hashes/{name}": f"@noble/hashes/{name}" for name in ("sha2.js", "_md.js", "_u64.js", "utils.js", "LICENSE")},
}
"""Where each file of `static/vendor` lies in node_modules; licences go along, for the wheel contains both."""

router = APIRouter(include_in_schema=False)


def copy(modules: Path) -> None:
    """Copy what pages need out of `node_modules`; UnavailableError names what is not there."""
    absent = [source for source in COPIED.values() if not (modules / source).is_file()]
    if absent:
        raise UnavailableError(f"{modules} lacks {', '.join(absent)}; run npm ci beside package.json")
    shutil.rmtree(VENDOR, ignore_errors=True)
    for name, source in COPIED.items():
        (VENDOR / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(modules / source, VENDOR / name)


def missing(names: Iterable[str]) -> list[str]:
    """Those of these files of `static/vendor` that set-up has not copied, so that a page can say so."""
    return [name for name in names if not (VENDOR / name).is_file()]


@router.get("/static/{name:path}")
def static(name: str) -> FileResponse:
    """A file of `static`; the browser asks whether it has changed, so that an update is seen at once."""
    path = (STATIC / name.replace("\0", "")).resolve()
    if not path.is_relative_to(STATIC.resolve()) or not path.is_file():
        raise NotFoundError("there is no such asset; run ./run again, which copies them")
    return FileResponse(path, headers={"Cache-Control": "no-cache"})

"""Fixtures: tiny slides with a known piece of tissue, in the formats a hospital has, and where the real files are."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import pyvips
import tifffile

from hepatica.cohort.specimens import Specimen


@pytest.fixture
def real() -> Path:
    """The folder of real files."""
    if "HEPATICA_DATA" not in os.environ:
        pytest.skip("HEPATICA_DATA is not set: no real files here")
    return Path(os.environ["HEPATICA_DATA"])


@dataclass
class SlideMaker:
    """Writes slides into `folder`."""

    folder: Path

    @staticmethod
    def picture(*, width=640, height=512, seed=0) -> np.ndarray:
        """(h w 3) uint8: an ellipse of pink tissue with purple nuclei over the middle two thirds, on white glass."""
        generator = np.random.default_rng(seed)
        y, x = np.mgrid[:height, :width]
        tissue = ((x - width / 2) / (width / 3)) ** 2 + ((y - height / 2) / (height / 3)) ** 2 < 1
        nuclei = np.kron(generator.random((height // 8 + 1, width // 8 + 1)) < 0.3, np.ones((8, 8)))
        pixels = np.full((height, width, 3), 244)
        pixels[tissue] = (225, 150, 190)
        pixels[tissue & (nuclei[:height, :width] > 0)] = (95, 60, 140)
        return np.clip(pixels + generator.integers(-4, 5, pixels.shape), 0, 255).astype(np.uint8)

    def tiff(self, pixels: np.ndarray, *, name="slide.tif", mpp: float | None = 0.5, tiled=True) -> Path:
        """One level, uncompressed; OpenSlide opens it when it is tiled."""
        options = {} if mpp is None else {"resolution": (1e4 / mpp, 1e4 / mpp), "resolutionunit": "CENTIMETER"}
        if tiled:
            options["tile"] = (128, 128)
        tifffile.imwrite(self.folder / name, pixels, photometric="rgb", **options)
        return self.folder / name

    def pyramid(self, pixels: np.ndarray, *, name="pyramid.tif", mpp=0.5) -> Path:
        """JPEG tiles of 128 pixels, each level half of the one before."""
        options = {"tile": True, "pyramid": True, "tile_width": 128, "tile_height": 128, "compression": "jpeg", "Q": 85}
        density = {"xres": 1000 / mpp, "yres": 1000 / mpp, "resunit": "cm"}
        pyvips.Image.new_from_array(pixels).tiffsave(str(self.folder / name), **options, **density)
        return self.folder / name

    def ome(self, pixels: np.ndarray, *, name="pyramid.ome.tif", mpp=0.5, unit="µm", planes=False) -> Path:
        """OME-TIFF with two reduced levels in SubIFDs, as tifffile and Bio-Formats write it; the pixels' size in its
        XML alone. `planes`: red, green and blue as three pages.
        """
        levels = [pixels[:: 2**k, :: 2**k] for k in range(3)]
        levels = [np.ascontiguousarray(each.transpose(2, 0, 1) if planes else each) for each in levels]
        factor = {"µm": 1, "nm": 1000}[unit]
        axes = [(f"PhysicalSize{axis}", mpp * factor) for axis in "XY"]
        units = [(f"PhysicalSize{axis}Unit", unit) for axis in "XY"]
        options = {"photometric": "minisblack" if planes else "rgb", "tile": (128, 128), "compression": "deflate"}
        with tifffile.TiffWriter(self.folder / name, ome=True) as file:
            metadata = {"axes": "CYX" if planes else "YXS", **dict(axes), **dict(units)}
            file.write(levels[0], subifds=2, metadata=metadata, **options)
            for each in levels[1:]:
                file.write(each, subfiletype=1, **options)
        return self.folder / name

    @staticmethod
    def specimen(path: Path, *, row=2, mpp: float | None = None) -> Specimen:
        """One slide of one patient, both named after the row."""
        return Specimen(patient_id=f"p{row}", specimen_id=f"s{row}", modality="slide", path=path, row=row, mpp=mpp)


@pytest.fixture
def slides(tmp_path: Path) -> SlideMaker:
    """Writes slides into this test's own folder."""
    return SlideMaker(tmp_path)

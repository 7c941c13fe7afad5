"""Tiny slides in formats of scanners: an Aperio file, a MIRAX slide and a DICOM series of whole-slide instances."""

import io
import struct
from pathlib import Path

import numpy as np
import pydicom
import tifffile
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate

TILE = 64


def write_svs(path: Path, pixels: np.ndarray, *, mpp: object = 0.5, power: object = 20) -> Path:
    """One level in tiles of 128 pixels; OpenSlide reads its resolution and objective from the description."""
    height, width = pixels.shape[:2]
    said = f"Aperio Image Library v11.2.1\n{width}x{height} (128x128)|AppMag = {power}|MPP = {mpp}"
    tifffile.imwrite(path, pixels, photometric="rgb", tile=(128, 128), description=said, metadata=None)
    return path


def write_mirax(path: Path, pixels: np.ndarray, *, mpp: float = 0.5, overview: int = 0) -> Path:
    """`path` ends in .mrxs; one level, one image a tile. `overview` changes only the picture in the .mrxs file."""
    folder = path.with_suffix("")
    folder.mkdir()
    down, across = (side // TILE for side in pixels.shape[:2])
    data, entries = b"", []
    for row in range(down):
        for column in range(across):
            jpeg = as_jpeg(pixels[row * TILE :][:TILE, column * TILE :][:, :TILE])
            entries.append((row * across + column, len(data), len(jpeg), 0))
            data += jpeg
    (folder / "Data0000.dat").write_bytes(data)
    head = b"01.02" + b"x" * 32
    root = len(head) + 8
    page = struct.pack("<ii", len(entries), 0) + b"".join(struct.pack("<iiii", *each) for each in entries)
    index = struct.pack("<ii", root, 0) + struct.pack("<i", root + 4) + struct.pack("<ii", 0, root + 12) + page
    (folder / "Index.dat").write_bytes(head + index)
    (folder / "Slidedat.ini").write_text(SLIDEDAT.format(across=across, down=down, mpp=mpp, tile=TILE, id="x" * 32))
    path.write_bytes(as_jpeg(np.full((16, 16, 3), overview, np.uint8)))
    return path


SLIDEDAT = """[GENERAL]
SLIDE_VERSION = 01.02
SLIDE_ID = {id}
IMAGENUMBER_X = {across}
IMAGENUMBER_Y = {down}
OBJECTIVE_MAGNIFICATION = 20
CameraImageDivisionsPerSide = 1
[HIERARCHICAL]
HIER_COUNT = 1
NONHIER_COUNT = 0
INDEXFILE = Index.dat
HIER_0_NAME = Slide zoom level
HIER_0_COUNT = 1
HIER_0_VAL_0_SECTION = LAYER_0
[DATAFILE]
FILE_COUNT = 1
FILE_0 = Data0000.dat
[LAYER_0]
OVERLAP_X = 0
OVERLAP_Y = 0
MICROMETER_PER_PIXEL_X = {mpp}
MICROMETER_PER_PIXEL_Y = {mpp}
IMAGE_FORMAT = JPEG
IMAGE_FILL_COLOR_BGR = 16777215
DIGITIZER_WIDTH = {tile}
DIGITIZER_HEIGHT = {tile}
IMAGE_CONCAT_FACTOR = 0
"""


def write_dicom(folder: Path, pixels: np.ndarray, *, series: str, mpp: float = 0.5, levels: int = 2) -> list[Path]:
    """One instance a level, each half of the one before, in a folder that may be there already."""
    folder.mkdir(exist_ok=True)
    written = []
    for level in range(levels):
        reduced = pixels[:: 2**level, :: 2**level]
        written.append(folder / f"{series}_{level}.dcm")
        _instance(reduced, series=series, number=level + 1, mpp=mpp * 2**level).save_as(
            written[-1], enforce_file_format=True
        )
    return written


def _instance(pixels: np.ndarray, *, series: str, number: int, mpp: float) -> Dataset:
    height, width = pixels.shape[:2]
    tiles = [pixels[y : y + TILE, x : x + TILE] for y in range(0, height, TILE) for x in range(0, width, TILE)]
    instance = Dataset()
    instance.file_meta = FileMetaDataset()
    instance.file_meta.TransferSyntaxUID = pydicom.uid.JPEGBaseline8Bit
    instance.SOPClassUID = instance.file_meta.MediaStorageSOPClassUID = pydicom.uid.VLWholeSlideMicroscopyImageStorage
    instance.SOPInstanceUID = instance.file_meta.MediaStorageSOPInstanceUID = f"{series}.{number}"
    instance.Modality = "SM"
    instance.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE" if number == 1 else "RESAMPLED"]
    instance.StudyInstanceUID, instance.SeriesInstanceUID = f"{series}.0", series
    instance.InstanceNumber, instance.NumberOfFrames = number, len(tiles)
    instance.TotalPixelMatrixColumns, instance.TotalPixelMatrixRows = width, height
    instance.Rows = instance.Columns = TILE
    instance.SamplesPerPixel, instance.PhotometricInterpretation, instance.PlanarConfiguration = 3, "YBR_FULL_422", 0
    instance.BitsAllocated = instance.BitsStored = 8
    instance.HighBit, instance.PixelRepresentation = 7, 0
    instance.DimensionOrganizationType = "TILED_FULL"
    measures, shared, optical = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = [mpp / 1000, mpp / 1000]
    shared.PixelMeasuresSequence = [measures]
    instance.SharedFunctionalGroupsSequence = [shared]
    optical.ObjectiveLensPower = 20
    instance.OpticalPathSequence = [optical]
    instance.PixelData = encapsulate([as_jpeg(each) for each in tiles])
    return instance


def as_jpeg(pixels: np.ndarray) -> bytes:
    """A picture as JPEG, of full colour resolution, its edges filled up to a tile."""
    filled = np.pad(pixels, [(0, max(0, TILE - pixels.shape[0])), (0, max(0, TILE - pixels.shape[1])), (0, 0)])
    buffer = io.BytesIO()
    Image.fromarray(filled).save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()


def write_scn(path: Path, pixels: np.ndarray, *, left: int, top: int, mpp: float = 0.5) -> Path:
    """A Leica slide of 1024 x 1024 pixels, of which `pixels` were scanned, from (left, top) on; with an overview."""
    nanometres, (height, width) = round(mpp * 1000), pixels.shape[:2]
    whole = f'sizeX="{1024 * nanometres}" sizeY="{1024 * nanometres}"'
    place = f'offsetX="{left * nanometres}" offsetY="{top * nanometres}"'
    scanned = f'sizeX="{width * nanometres}" sizeY="{height * nanometres}" {place}'
    images = (
        SCN_IMAGE.format(view=f'{whole} offsetX="0" offsetY="0"', width=256, height=256, page=0, power=1)
        + SCN_IMAGE.format(view=scanned, width=width, height=height, page=1, power=20)
    )  # fmt: skip
    said = (
        f'<scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01"><collection {whole}>{images}</collection></scn>'
    )
    options = {"photometric": "rgb", "tile": (128, 128), "resolution": (1e4 / mpp,) * 2, "resolutionunit": "CENTIMETER"}
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        for page, text in ((np.full((256, 256, 3), 200, np.uint8), said), (pixels, None)):
            file.write(page, description=text, metadata=None, **options)
    return path


SCN_IMAGE = """<image><creationDate>2026-01-01T00:00:00Z</creationDate>
<pixels sizeX="{width}" sizeY="{height}"><dimension sizeX="{width}" sizeY="{height}" r="0" ifd="{page}"/></pixels>
<view {view} spacingZ="0"/><scanSettings><objectiveSettings><objective>{power}</objective></objectiveSettings>
<illuminationSettings><illuminationSource>brightfield</illuminationSource></illuminationSettings></scanSettings></image>
"""


def write_labelled_svs(path: Path, pixels: np.ndarray, *, label: tuple[int, int, int]) -> Path:
    """An Aperio slide with the photographs of its label and of the whole glass, both of the one colour `label`."""
    write_svs(path, pixels)
    photograph = np.full((96, 128, 3), label, np.uint8)
    with tifffile.TiffWriter(path, append=True) as file:
        for name in ("label", "macro"):
            said = f"Aperio Image Library v11.2.1\n{name} 128x96"
            file.write(photograph, photometric="rgb", subfiletype=1, description=said, metadata=None, rowsperstrip=96)
    return path

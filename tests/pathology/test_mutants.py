"""Mutants: slides changed at random are read, or refused in words: no other error, no hang, no gigabyte."""

import struct
import subprocess
import sys
import textwrap
import zlib

import pytest
from PIL import Image
from slide_formats import write_dicom, write_mirax, write_svs

MUTANTS = 40
"""Of each format; benchmarks run more."""

READ = """
import sys, time, warnings
import numpy as np
from pathlib import Path
from hepatica.cohort import SpecimenError
from hepatica.pathology.slide import open_slide
from hepatica.pathology.tissue import find_tissue

warnings.simplefilter("error")
part, opened, mutants = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
whole = part.read_bytes()
slowest = read = 0
for seed in range(-1, mutants):
    generator = np.random.default_rng(abs(seed))
    content = bytearray(whole)
    match seed % 4 if seed >= 0 else None:  # the first is the file as it is
        case 0:  # bytes anywhere
            for place in generator.integers(0, len(content), 20):
                content[place] = generator.integers(256)
        case 1:  # bytes of the header
            for place in generator.integers(4, min(1000, len(content)), 4):
                content[place] = generator.choice([0, 1, 255, generator.integers(256)])
        case 2:  # a large number at the end, where a TIFF has its directory
            place = len(content) - 4 - int(generator.integers(0, min(1500, len(content) - 4)))
            content[place : place + 4] = generator.choice([b"\\xff\\xff\\xff\\x7f", b"\\0\\0\\0\\0", b"\\0\\0\\1\\0"])
        case 3:  # cut off
            del content[int(generator.integers(0, len(content))) :]
    part.write_bytes(content)
    start = time.monotonic()
    try:
        with open_slide(opened, mpp=0.5) as slide:
            find_tissue(slide.thumbnail(longest=256))
            slide.read((0, 0), side=64, mpp=0.5)
            read += 1
    except SpecimenError as error:
        assert str(error) and len(str(error)) < 400 and chr(10) not in str(error), (seed, error)
    except BaseException as error:
        print("seed", seed)
        raise
    slowest = max(slowest, time.monotonic() - start)
(peak,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(read, slowest, int(peak.split()[1]) / 1024)  # not ru_maxrss, which is the parent's where that is larger
"""


def survive(part, opened, *, mutants=MUTANTS):
    """How many were read, the file as it is among them; fails where one is not survived, or not within the bounds."""
    command = [sys.executable, "-c", textwrap.dedent(READ), str(part), str(opened), str(mutants)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-2000:]
    read, slowest, megabytes = map(float, done.stdout.split()[-3:])
    assert slowest < 10
    assert megabytes < 1000
    return read


def write(slides, kind):
    """A slide, and the file of it that is changed."""
    pixels = slides.picture(width=256, height=192)
    match kind:
        case "svs":
            path = write_svs(slides.folder / "whole.svs", pixels)
        case "pyramid":
            path = slides.pyramid(pixels, name="whole.tif")
        case "dcm":
            path = write_dicom(slides.folder / "whole", pixels, series="1.2.3", levels=1)[0]
        case "Index.dat" | "Slidedat.ini" | "Data0000.dat":
            path = write_mirax(slides.folder / "whole.mrxs", pixels)
            return path, slides.folder / "whole" / kind
        case _:
            path = slides.folder / f"whole.{kind}"
            Image.fromarray(pixels).save(path, **({"progressive": True} if kind == "jpg" else {}))
    return path, path


@pytest.mark.parametrize(
    "kind", ["svs", "pyramid", "dcm", "Index.dat", "Slidedat.ini", "Data0000.dat", "tif", "png", "jpg"]
)
def test_mutants_are_read_or_refused(slides, kind):
    opened, part = write(slides, kind)
    assert 1 <= survive(part, opened) <= MUTANTS


def png(width, height, rows):
    """A picture of any size that it claims, all of it from a few bytes."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes((3 * width + 1) * rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("width", "height", "rows"), [(60_000, 60_000, 1), (2**31 - 1, 2**31 - 1, 0), (14_000, 14_000, 500), (1, 1, 0)]
)
def test_picture_bombs_are_refused_within_bounds(slides, width, height, rows):
    path = slides.folder / "bomb.png"
    path.write_bytes(png(width, height, rows))
    assert survive(path, path, mutants=0) == 0

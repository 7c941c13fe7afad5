"""Codecs: decoders of compressed pixels that let other threads run, as a plugin of pydicom.

The decoders pydicom comes with (gdcm, openjpeg, Pillow) hold Python's lock while they decode, so that threads wait for
each other. Those of imagecodecs give the same pixels and let go of it.
"""

from collections.abc import Callable, Mapping

import imagecodecs
import numpy as np
from pydicom import uid
from pydicom.pixels.decoders.base import DecodeRunner, get_decoder

NAME = "imagecodecs"
"""What pydicom calls the plugin."""


def _jpeg2000(frame: bytes) -> np.ndarray:
    return imagecodecs.jpeg2k_decode(frame, numthreads=1)


_DECODERS: Mapping[str, Callable[[bytes], np.ndarray]] = {
    uid.JPEG2000Lossless: _jpeg2000,
    uid.JPEG2000: _jpeg2000,
    uid.JPEGLSLossless: imagecodecs.jpegls_decode,
    uid.JPEGLSNearLossless: imagecodecs.jpegls_decode,
    uid.JPEGLossless: imagecodecs.jpeg_decode,
    uid.JPEGLosslessSV1: imagecodecs.jpeg_decode,
}

DECODER_DEPENDENCIES = dict.fromkeys(_DECODERS, ("imagecodecs",))
"""What pydicom wants of a plugin to say what it needs."""


def is_available(syntax: str) -> bool:
    """Whether a transfer syntax can be decoded; pydicom asks a plugin."""
    return syntax in _DECODERS


def decode_frame(frame: bytes, runner: DecodeRunner) -> bytes:
    """The bytes of one frame's pixels, as pydicom asks a plugin for them; raises what imagecodecs raises."""
    pixels = _DECODERS[runner.transfer_syntax](frame)
    runner.set_option("bits_allocated", 8 * pixels.itemsize)  # the frame's own precision; a header may claim another
    return pixels.tobytes()


for _syntax in _DECODERS:
    get_decoder(uid.UID(_syntax)).add_plugin(NAME, (__name__, decode_frame.__name__))

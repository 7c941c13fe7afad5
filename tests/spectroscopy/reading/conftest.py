"""Fixtures of readers: files written as other programs write them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hepatica.spectroscopy.signal.header import Header


@pytest.fixture
def write_lcmodel_raw() -> Callable[..., None]:
    """Writes a decay (points,) as LCModel reads it, with the values of `header` in $SEQPAR."""

    def write(path: Path, *, fid: np.ndarray, header: Header) -> None:
        given = {"HZPPPM": header.f0_mhz, "DELTAT": 1 / header.bandwidth_hz, "ECHOT": header.te_ms}
        lines = [" $SEQPAR", *(f" {name} = {value:.9g}" for name, value in given.items())]
        lines += [f" SEQ = '{header.sequence.upper()}'"] if header.sequence else []
        lines += [" $END", " $NMID", " ID='hepatica', FMTDAT='(2E15.6)'", " VOLUME=1", " TRAMP=1", " $END"]
        path.write_text("\n".join([*lines, *(f"{value.real:15.6E}{-value.imag:15.6E}" for value in fid)]) + "\n")

    return write

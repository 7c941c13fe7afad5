"""Make stain reference: print the numbers of `hepatica.pathology.stain.REFERENCE`.

    HEPATICA_DATA=... python tests/pathology/make_stain_reference.py

The image is tiatoolbox/data/target_image.png of TissueImageAnalytics/tiatoolbox at 6fc8a2e (BSD-3-Clause).
"""

import os
from pathlib import Path

import numpy as np
from PIL import Image

from hepatica.pathology.stain import StainSettings, fit

if __name__ == "__main__":
    image = Image.open(Path(os.environ["HEPATICA_DATA"]) / "pathology" / "tiatoolbox_target_image.png")
    reference = fit(np.asarray(image.convert("RGB")), settings=StainSettings(samples=100_000, candidates=100_000))
    with np.printoptions(precision=6, floatmode="fixed"):
        print(f"matrix={reference.matrix!r}\npeak={reference.peak!r}")

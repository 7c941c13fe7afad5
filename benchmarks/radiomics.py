"""Radiomics: our features of a lesion of 86 ml against pyradiomics', of the same voxels in the same run.

    HEPATICA_DATA=DATA .venv/bin/python benchmarks/radiomics.py

The lesion is a piece of the real liver of DATA/radiology/totalsegmentator (a ball around its middle, as far as it is
liver and in the 20 slices), with its own voxels. Prints seconds (medians of ROUNDS), the features of each, and checks
that features which both define alike agree. pyradiomics gets an environment of its own on the first run.
"""

import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from peers import UV, environment

from hepatica.radiology.dicom.scans import find_scans
from hepatica.radiology.radiomics import RadiomicsSettings, features

ML, ROUNDS = 86, 5
SETTINGS = RadiomicsSettings(bin_width=25, aggregation="3D, averaged")

PEER = """
import json, logging, sys, time
import numpy as np, SimpleITK as sitk
from radiomics.featureextractor import RadiomicsFeatureExtractor

logging.disable(logging.WARNING)
stored = np.load(sys.argv[1])
image, mask = (sitk.GetImageFromArray(stored[name]) for name in ("values", "mask"))
for each in (image, mask):
    each.SetSpacing(tuple(map(float, stored["spacing"][::-1])))
extractor = RadiomicsFeatureExtractor(binWidth=25, geometryTolerance=1e-3)
for _ in sys.stdin:
    begin = time.perf_counter()
    found = extractor.execute(image, mask)
    seconds = time.perf_counter() - begin
    print(json.dumps([seconds, {k: float(v) for k, v in found.items() if k.startswith("original")}]), flush=True)
"""

ALIKE = {
    "original_shape_MeshVolume": "morph_volume_RNU0",
    "original_shape_Sphericity": "morph_sphericity_QCFX",
    "original_shape_Maximum3DDiameter": "morph_max_3d_diam_L0JK",
    "original_firstorder_Skewness": "stat_skewness_KE2A",
    "original_firstorder_Entropy": "int_hist_entropy_TLU2",
    "original_glcm_Contrast": "cm_contrast_ACUI",
    "original_glcm_ClusterShade": "cm_cluster_shade_7NFM",
    "original_glrlm_RunEntropy": "rlm_run_entropy_HJ9O",
    "original_glrlm_LongRunHighGrayLevelEmphasis": "rlm_long_run_high_grey_level_emphasis_3KUM",
    "original_glszm_ZoneVariance": "szm_zone_size_variance_3NSA",
    "original_glszm_SmallAreaEmphasis": "szm_small_zone_emphasis_P001",
    "original_ngtdm_Busyness": "ngtdm_busyness_NQ30",
    "original_ngtdm_Strength": "ngtdm_strength_1X9X",
}


def lesion() -> dict[str, Any]:
    """Values (the lowest is 0, where pyradiomics' grey levels begin, too), mask and spacing."""
    folder = Path(os.environ["HEPATICA_DATA"], "radiology", "totalsegmentator")
    volume = find_scans(folder / "dicom").scans[0].read()
    labels = np.asarray(nib.load(folder / "example_seg_dicom.nii.gz").dataobj)
    liver = np.rot90(labels).transpose(2, 0, 1) == 5
    spacing = np.asarray(volume.geometry.spacing)
    places = np.argwhere(liver)
    away = np.linalg.norm((places - places.mean(axis=0)) * spacing, axis=1)
    chosen = places[np.argsort(away)[: round(ML * 1000 / spacing.prod())]]
    mask = np.zeros(liver.shape, bool)
    mask[tuple(chosen.T)] = True
    assert 60 < volume.values[mask].mean() < 120, "this is no liver"
    return {"values": volume.values - volume.values[mask].min(), "mask": mask, "spacing": spacing}


def peer() -> Path:
    """A Python with pyradiomics, which can only be built beside numpy."""
    build = ("setuptools==69.5.1", "wheel", "numpy", "cython", "versioneer", "SimpleITK", "PyWavelets", "pykwalify")
    python = environment("pyradiomics", *build, "six")
    if subprocess.run([python, "-c", "import radiomics"], capture_output=True, check=False).returncode:
        install = [UV, "pip", "install", "--quiet", "--no-build-isolation", "--python", python, "pyradiomics==3.0.1"]
        subprocess.run(install, check=True)
    return python


def main() -> None:
    """Measure and compare."""
    data = lesion()
    mask, spacing = data["mask"], tuple(float(each) for each in data["spacing"])
    print(f"{mask.sum()} voxels, {mask.sum() * np.prod(spacing) / 1000:.1f} ml, {np.round(spacing, 3)} mm")
    own, seconds = [], {"hepatica": [], "pyradiomics": []}
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        own = features(data["values"], mask, spacing_mm=spacing, settings=SETTINGS)
        seconds["hepatica"].append(time.perf_counter() - begin)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "lesion.npz")
        np.savez(path, values=data["values"], mask=mask.astype(np.uint8), spacing=data["spacing"])
        fed = subprocess.run(
            [peer(), "-c", PEER, path], input="\n" * ROUNDS, capture_output=True, text=True, check=True
        )
    rounds = [json.loads(line) for line in fed.stdout.splitlines()]
    seconds["pyradiomics"] = [each[0] for each in rounds]
    theirs = rounds[-1][1]
    for name, found in (("hepatica", own), ("pyradiomics", theirs)):
        print(f"{name}: {statistics.median(seconds[name]):.2f} s for {len(found)} features")
    print(f"ratio {statistics.median(seconds['pyradiomics']) / statistics.median(seconds['hepatica']):.1f}")
    for their_name, name in ALIKE.items():
        print(f"{name}: {own[name]:.6g}, {theirs[their_name]:.6g}")
        assert np.isclose(own[name], theirs[their_name], rtol=2e-3), f"{name} differs"


if __name__ == "__main__":
    main()

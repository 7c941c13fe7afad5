"""Lesion crops: 1,000 lesions cut out of CT studies, and how much longer that takes than decoding their series alone.

The studies are phantoms of four phases (256 x 256 x 32, uncompressed DICOM in zip archives), some lesions each; the
same studies are prepared again and again until 1,000 lesions are cut out. Aim: 1.15 times the decoding of the three
phases that are read, headers included, in processor time.

    nice -n 15 python benchmarks/lesion_crops.py FOLDER
"""

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hepatica.cohort import Cohort, Specimen, load_cohort
from hepatica.cohort.phantom import FOCAL_LESIONS
from hepatica.radiology.dicom.scans import find_scans
from hepatica.radiology.lesions.crops import Cropping
from hepatica.radiology.lesions.store import Reading, Scale, prepare
from hepatica.radiology.phantom import phantom_ct
from hepatica.radiology.phase.phase import contrast_phase
from hepatica.radiology.slicing import WINDOWS

LESIONS = 1_000
PATIENTS = 40
PHASES = ("plain", "arterial", "delayed")
CROPPINGS = {
    "slices of 70 x 70": Cropping(voxels=(1, 70, 70), share=0.9),
    "solid, 24 x 24 x 12": Cropping(voxels=(12, 24, 24), share=0.7),
    "solid, 1.5 mm, 64 a side, rim of 10 mm": Cropping(voxels=(64, 64, 64), voxel_mm=(1.5, 1.5, 1.5), rim_mm=10.0),
}


def decoded(cohort: Cohort, rounds: int) -> float:
    """Seconds of processor time to decode the three series of every study, `rounds` times."""

    def decode(specimen: Specimen) -> None:
        by_phase = {contrast_phase(None, series=each.series).name: each for each in find_scans(specimen.path).scans}
        for name in PHASES:
            by_phase[name].read()

    begun = time.process_time()
    with ThreadPoolExecutor(2) as pool:  # as many studies at once as `prepare` reads
        list(pool.map(decode, [*cohort.specimens] * rounds))
    return time.process_time() - begun


def cut_out(cohort: Cohort, cropping: Cropping, rounds: int) -> tuple[float, int]:
    """Seconds of processor time to prepare every study `rounds` times, and the lesions."""
    reading, scale = Reading(phases=PHASES, cropping=cropping), Scale(kind="window", window=WINDOWS["liver"])
    lesions, begun = 0, time.process_time()
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            store = prepare(
                cohort.specimens, cohort.lesions, reading=reading, scale=scale, folder=Path(folder), progress=False
            )
        lesions += store.specimens["lesions"].sum()
    return time.process_time() - begun, lesions


def main(folder: Path) -> None:
    """Print seconds and ratios."""
    cohort = load_cohort(phantom_ct(folder / "phantom", patients=PATIENTS, seed=1, population=FOCAL_LESIONS))
    rounds = -(-LESIONS // len(cohort.lesions))
    cut_out(cohort.select(cohort.patients.index[:2]), CROPPINGS["slices of 70 x 70"], 1)  # first: imports
    alone = decoded(cohort, rounds)
    print(f"{PATIENTS} studies, {len(cohort.lesions)} lesions, {rounds} times; decoding three phases: {alone:.1f} s")
    for name, cropping in CROPPINGS.items():
        seconds, lesions = cut_out(cohort, cropping, rounds)
        print(f"{name}: {lesions} lesions in {seconds:.1f} s, {seconds / alone:.2f} of decoding alone")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

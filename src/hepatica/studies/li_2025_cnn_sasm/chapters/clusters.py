"""Clusters: tile and image signatures of each subset's network in a plane, and how far outcomes separate."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pandas as pd

from hepatica.protocol import from_plain
from hepatica.report.chapters.signatures import Cloud, by_lot, cloud_figure, cloud_table, unseen_tiles
from hepatica.report.page import Block, Gallery, Run, Section, Text
from hepatica.studies.li_2025_cnn_sasm.found import Study, confirmed_patients

LIMIT = 600
"""Tiles of a subset drawn at most, and images. Ours."""

MEANING = (
    "Each small map is of the network trained on one denoised subset, and all show the same patients, on none of whom"
    " any of the networks was trained. Solid dots are patients whose survival confirms their final status at that"
    " ratio, on whom alone the paper draws its maps; pale dots are the others. The number is the silhouette of the two"
    " outcomes among the signatures themselves, not in the map: 1 is perfect separation, about 0 is none, below 0 is"
    " nearer to the other outcome. It is given for all patients and for the confirmed ones, to show how much of a clear"
    " boundary comes from the choice of patients. It has no interval, and tiles of one patient are not"
    " independent."
)


def section(study: Study, gallery: Gallery) -> Section:
    """PCA and t-SNE by subset, of tiles and of images, and a table of silhouettes."""
    found = {level: clouds(study, level=level) for level in LEVELS}
    blocks: list[Block] = [Text(text=MEANING)]
    for level, of_ratio in found.items():
        caption = (
            f"{level.capitalize()} signatures of patients the networks were not trained on, by ratio of the denoised"
            f" subset; at most {LIMIT} {level}s a map. Below each map: silhouette of all, and of confirmed patients."
        )
        blocks.append(cloud_figure(of_ratio, level, gallery, caption=caption))
    note = "Confirmed: patients whose survival agrees with their final status at that ratio."
    table = cloud_table(found, head="Ratio", note=note)
    return Section(anchor="clusters", title="Signatures by subset", blocks=[*blocks, table])


def clouds(study: Study, *, level: str) -> list[Cloud]:
    """The signatures of each subset's network; `level` is "tile" or "image"."""
    return [_cloud(run, ratio, level) for ratio, run in study.subsets.items()]


def _cloud(run: Run, ratio: str, level: str) -> Cloud:
    table, signatures = LEVELS[level](run)
    chosen = np.sort(by_lot(len(table))[:LIMIT])
    table, signatures = table.iloc[chosen], signatures[chosen]
    confirmed = table["patient_id"].isin(_confirmed(run, Fraction(ratio))).to_numpy()
    return Cloud(name=ratio, signatures=signatures, label=table["label"].to_numpy(float), confirmed=confirmed)


def _tiles(run: Run) -> tuple[pd.DataFrame, np.ndarray]:
    table, signatures = unseen_tiles(run.internal, run, limit=LIMIT)
    return table, signatures.astype(float)


def _images(run: Run) -> tuple[pd.DataFrame, np.ndarray]:
    """Image signatures: the mean of each specimen's tile signatures."""
    table, signatures = unseen_tiles(run.internal, run, limit=len(run.internal.regions()[0]))
    means = pd.DataFrame(signatures.astype(float)).groupby(table["specimen_id"].to_numpy(), sort=False).mean()
    return table.drop_duplicates("specimen_id"), means.to_numpy()


LEVELS: dict[str, Callable[[Run], tuple[pd.DataFrame, np.ndarray]]] = {"tile": _tiles, "image": _images}


def _confirmed(run: Run, ratio: Fraction) -> tuple[str, ...]:
    """Unseen patients in the denoised subset; none where an outcome is missing among them."""
    results, settings = run.internal, from_plain(run.system.settings, run.settings["settings"])
    unseen = results.patients.loc[results.regions()[0]["patient_id"].unique()]
    status = results.endpoint(run.targets[0]).label(unseen, horizon=None)
    return confirmed_patients(results, status, settings, ratio=ratio)

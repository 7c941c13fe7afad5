"""Room: what a system of ablative margins shares: pairs of scans in, fields and margins out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import PositiveFloat, PositiveInt

from hepatica.cohort import Cohort, Specimen, Task
from hepatica.cohort.phantom import ABLATED
from hepatica.learn import Plan
from hepatica.learn.images import as_network_input
from hepatica.networks.displacement import folded_share
from hepatica.protocol import Inference, ModelIdentity
from hepatica.protocol.plain import scored
from hepatica.protocol.records import Room
from hepatica.radiology.ablation.field import apart, fields_of, margins_of, used
from hepatica.radiology.ablation.margin import SAFE_MM, WIDEST_MM
from hepatica.radiology.ablation.picture import draw_margin
from hepatica.radiology.ablation.store import PairReading, PairStore
from hepatica.radiology.ablation.store import prepare as prepare_pairs
from hepatica.radiology.dicom.scans import find_scans
from hepatica.radiology.lesions.deliver import on_grid
from hepatica.radiology.phantom import PhantomSettings, phantom_ct
from hepatica.radiology.phase.together import SERIES
from hepatica.radiology.results.deliver import decline_study, write_objects
from hepatica.radiology.results.derived_images import parametric_map
from hepatica.radiology.results.evidence import evidence_of
from hepatica.radiology.results.result import Finding, Findings
from hepatica.radiology.results.structured_report import structured_report
from hepatica.radiology.slicing import WINDOWS


@dataclass(frozen=True, kw_only=True)
class PairPlan(Plan):
    """Settings of a system of ablative margins."""

    phase: str = "portal venous"
    """Phase that is read of both scans."""
    rigid: bool = True
    """Whether a rigid registration comes before the network."""
    voxels: tuple[PositiveInt, PositiveInt, PositiveInt] = (96, 96, 96)
    """Voxels along z, y and x about the tumour; multiples of 16."""
    voxel_mm: tuple[PositiveFloat, PositiveFloat, PositiveFloat] = (1.25, 1.25, 1.25)
    """Their sides in mm."""
    window: Literal["abdomen", "liver", "bone", "lung"] = "liver"
    """Window of Hounsfield units that the network reads."""
    refined: bool = True
    """Whether what the network returns is where the optimisation for each pair begins; else it is used as it is."""


def prepare(cohort: Cohort, settings: PairPlan, folder: Path) -> PairStore:
    """Both scans of each specimen about its tumour, on one grid."""
    return prepare_pairs(
        cohort.specimens_of("ct"),
        cohort.lesions,
        how=PairReading(phase=settings.phase, rigid=settings.rigid, voxels=settings.voxels, voxel_mm=settings.voxel_mm),
        window=WINDOWS[settings.window],
        folder=folder,
    )


def infer_margins(network: Any, material: PairStore, settings: PairPlan, task: Task) -> Inference:
    """The least margin of each tumour in mm; of each pair, in `regions`, also its 90 % interval, the share of the
    surface below 5 mm and, where there are landmarks, their mean distance; the same by the rigid registration alone.

    What the network returns ends with the field (b 3 z y x) in mm along z, y and x; its buffer `error_mm` is the error
    of landmarks that it was locked with.
    """
    fields = fields_of(network, material, batch=settings.batch)
    rows = [_row(network, material, place, field) for place, field in enumerate(fields)]
    table = pd.DataFrame(rows)
    described = table[["margin_mm", "share_below_5_mm", "margin_p10_mm", "margin_p50_mm"]].to_numpy(np.float32)
    kept = table.drop(columns=["margin_mm", "margin_p10_mm", "margin_p50_mm"])
    owner = material.index[["patient_id", "specimen_id"]]
    return Inference(
        specimens=scored(owner, table[["margin_mm"]].to_numpy(), task=task).assign(class_or_quantity="margin"),
        regions=material.index.assign(score=table["margin_mm"]).join(kept),
        signatures=described,
    )


def _row(network: Any, material: PairStore, place: int, field: np.ndarray) -> dict[str, float]:
    pair, marks = material.read(np.array([place])), material.landmarks(np.array([place]))
    (own,), (rigid,) = (margins_of(pair, each, spacing=network.spacing) for each in (field, None))
    low, high = own.interval(float(network.error_mm))
    left, before = (float(apart(each, marks, spacing=network.spacing).mean()) for each in (field, 0 * field))
    return {
        "margin_mm": own.least,
        "margin_low_mm": low,
        "margin_high_mm": high,
        "share_below_5_mm": own.share_below(SAFE_MM),
        "rigid_margin_mm": rigid.least,
        "landmark_error_mm": left,
        "rigid_landmark_error_mm": before,
        "folded_share": float(folded_share(torch.from_numpy(field), spacing=network.spacing)),
        "margin_p10_mm": float(np.quantile(own.mm, 0.1)),
        "margin_p50_mm": float(np.median(own.mm)),
    }


def narrow(network: Any, pairs: Any) -> np.ndarray:
    """Where the margin is narrow, (b z y x): on the surface of the tumour 1 at 0 mm and less, 0 at WIDEST_MM; the maps
    of a system of margins.
    """
    values = as_network_input(torch.from_numpy(np.asarray(pairs)))
    with torch.inference_mode():
        fields = used(network, pairs, network(values)[:, -3:].numpy())
    maps = np.zeros(pairs.shape[:-1], np.float32)
    for place, margin in enumerate(margins_of(pairs, fields, spacing=network.spacing)):
        voxel = tuple(np.rint(margin.points / network.spacing.numpy()).astype(int).T)
        np.maximum.at(maps[place], voxel, np.clip(1 - margin.mm / WIDEST_MM, 0, 1).astype(np.float32))
    return maps


def deliver_margin(
    specimen: Specimen, *, material: PairStore, inference: Inference, settings: Any, cutoffs: Mapping[str, float],
    saliency: Callable[[np.ndarray], np.ndarray], model: ModelIdentity, folder: Path,
) -> list[Path]:  # fmt: skip
    """Write a report with the margin, its interval and the share below 5 mm, and the map of narrow places, on the
    series before ablation; no files for a specimen that is no DICOM study.
    """
    own = material.select(specimen_ids=[specimen.specimen_id])
    wanted = own.specimens["series"].iloc[0].split()
    scans = find_scans(specimen.path, wanted=specimen.extra.get(SERIES, "")).scans
    series = [each.series for each in scans if each.series is not None and each.key in wanted]
    if not series:
        return []
    row = inference.regions.set_index("specimen_id").loc[specimen.specimen_id]
    names = {"score": "least ablative margin", "margin_low_mm": "lower limit of 90 %"}
    names |= {"margin_high_mm": "upper limit of 90 %"}
    finding = Finding(
        name="Ablation",
        lengths_mm={name: float(row[column]) for column, name in names.items() if pd.notna(row[column])},
        values={"share of the surface below 5 mm": float(row["share_below_5_mm"])},
        called="sufficient" if row["score"] > SAFE_MM else "insufficient",
    )
    evidence = evidence_of(series[0])
    remarks = [f"Series 1: {note}." for note in evidence.notes]
    made = {
        "sr.dcm": structured_report(Findings(findings=(finding,), model=model), evidence=[evidence], remarks=remarks)
    }
    only = np.arange(1)
    seen = on_grid(saliency(own.read(only)), own.geometries(only), series[0].geometry)
    if (drawn := parametric_map(seen, evidence=evidence, model=model)) is not None:
        made["saliency_map_1.dcm"] = drawn
    return write_objects(made, folder)


ABLATION: Room[PairPlan, PairStore] = Room(
    modality="ct",
    region="pair of scans",
    extra="radiology",
    plan=PairPlan,
    trial={"voxels": (48, 48, 48), "voxel_mm": (2.5, 2.5, 2.5), "epochs": 40, "batch": 4},
    shortest={"voxels": (32, 32, 32), "voxel_mm": (3.5, 3.5, 3.5), "rigid": False, "refined": False, "epochs": 2},
    prepare=prepare,
    infer=infer_margins,
    saliency=narrow,
    draw=draw_margin,
    deliver=deliver_margin,
    decline=decline_study,
    phantom=partial(phantom_ct, population=ABLATED, settings=PhantomSettings(matrix=200, slices=70, thickness_mm=2.0)),
)
"""CT before and after ablation."""

"""Interpretation: what CNN-SASM looks at, by module and by channel, and where on a slide its scores are extreme.

Source: Li et al., BMC Med 2025;23:162, doi 10.1186/s12916-025-03977-4, "Interpretability" and Figures 3 and S5.

Departures: Grad-CAM averages the slopes of all positions. Before the softmax over positions of the spatial module they
cancel, and maps of the convolution come out weak or empty: with the network of the demo the mean slope is 1.6 % of the
mean size of the slopes, and 17 % of 120 tiles have no map. The picture is therefore drawn twice, by Grad-CAM as in the
paper and by HiResCAM, where each position keeps its own slope.

Unclear:
1. Channels 10 and 257 are said to receive "the highest attention" and 39 and 154 to have "minimal impact", not how that
   was measured. Here it is gradient times activation at the channel self-attention's output: to first order, how far a
   tile's relapse logit would move without that channel. It is averaged over a patient's tiles, then over patients.
2. Whether channels count from 0 or 1 is not said; here from 0. The numbers belong to one training: another one with
   the same settings gives them other meanings, so that they cannot be compared with the paper's.
3. The threshold cut-off levels are not given. Here they are quantiles of the scores of this cohort's unseen tiles;
   scores of tiles a network was trained on are more extreme. A level means the same on each slide.
"""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from einops import einsum, rearrange
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from scipy import stats
from torch import Tensor, nn

from hepatica.cohort import Cohort, RunError
from hepatica.cohort.atomic import replacing, write_text
from hepatica.cohort.seal import write_sealed
from hepatica.learn import Inputs, as_images
from hepatica.learn.samples import read_tensor
from hepatica.networks import CnnSasm, Reading
from hepatica.pathology.picture import box_of, look
from hepatica.pathology.slide import open_slide
from hepatica.pathology.store import TileStore
from hepatica.runs import LockedRun
from hepatica.runs.explain import extremes
from hepatica.runs.lock import picture_note
from hepatica.saliency import grad_cam, hires_cam, levels, save_levels, slopes

BATCH = 32
"""Tiles whose slopes are in memory at once."""

WEIGHED = 2000
"""Tiles the channels are weighed on at most, drawn at random (ours)."""

NAMED = 10
"""Channels named at each end of the ranking."""

SPECIMENS = 4
"""Slides drawn at the threshold cut-off levels, half of high and half of low risk."""

EACH_OUTCOME = 3
"""Tiles drawn of relapsed patients, and of relapse-free ones."""

LONGEST = 800
"""Pixels of the longer side of a slide's picture."""

SEED = 0

FOUND = "interpretation.json"
"""Lists the pictures, and is written last."""

CAMS: dict[str, Callable[..., np.ndarray]] = {"Grad-CAM": grad_cam, "HiResCAM": hires_cam}


def module_maps(
    network: CnnSasm, images: np.ndarray, *, cam: Callable[..., np.ndarray] = grad_cam
) -> dict[str, np.ndarray]:
    """Evidence for the relapse logit at each module, by its name: images (b, h, w, 3) uint8 to maps (b, h, w) in 0..1.

    The modules are "convolution", "channel self-attention" and "spatial self-attention". One that the network lacks is
    left out, and so is the last where the network scrambles its positions (`mix="reshape"`): they are no places then.
    """
    layers: dict[str, tuple[nn.Module, str]] = {"convolution": (network.body, "b c h w -> b c h w")}
    if not isinstance(network.channel, nn.Identity):
        layers["channel self-attention"] = (network.channel, "b c (h w) -> b c h w")
    if not isinstance(network.spatial, nn.Identity) and network.mix == "transpose":
        layers["spatial self-attention"] = (network.spatial, "b (h w) c -> b c h w")
    pixels = _pixels(network, torch.from_numpy(images))

    def mapped(layer: nn.Module, pattern: str) -> np.ndarray:
        def arrange(output: Tensor) -> Tensor:
            placed: Tensor = rearrange(output, pattern, h=network.width)
            return placed

        return cam(network, pixels, layer=layer, target=_relapse, arrange=arrange)

    return {name: mapped(layer, pattern) for name, (layer, pattern) in layers.items()}


def channel_weights(network: CnnSasm, tiles: Inputs, *, batch: int, patients: ArrayLike) -> pd.DataFrame:
    """The influence of each channel token of the channel self-attention on the relapse logit, largest first.

    `patients` (n,) names the patient of each tile. Columns: rank, from 1; channel, from 0; importance, how far a tile's
    logit would move without the channel, whichever way (Unclear 1), with the limits `low` and `high` of its 95 %
    interval over patients (Student's t, cut at 0; missing for one patient); direction, the same with its sign: above 0
    the channel speaks for relapse. Memory is that of one batch.
    """
    moves = []
    for start in range(0, len(tiles), batch):
        images = _pixels(network, read_tensor(tiles, np.arange(start, min(start + batch, len(tiles)))))
        features, slope = slopes(network, images, layer=network.channel, target=_relapse)
        moves.append(einsum(features, slope, "b c n, b c n -> b c").cpu().numpy())
    moved, owner = pd.DataFrame(np.concatenate(moves)), np.asarray(patients)
    importance = moved.abs().groupby(owner).mean()
    count, mean = len(importance), importance.mean()
    margin = stats.t.ppf(0.975, count - 1) * importance.std() / np.sqrt(count)
    columns = {
        "channel": importance.columns,
        "importance": mean,
        "low": (mean - margin).clip(lower=0),
        "high": mean + margin,
        "direction": moved.groupby(owner).mean().mean(),
    }
    table = pd.DataFrame(columns).sort_values("importance", ascending=False, kind="stable", ignore_index=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table


def interpret(locked: LockedRun, *, cohort: Cohort, material: TileStore, results: Path, out: Path) -> None:
    """Draw what the run's extractor looks at in patients it was not trained on; do nothing when that was done.

    `results` holds the run's tables of this cohort, `material` its tiles. Into `out` go the pictures, the ranking of
    the channels (channels.csv) and, last, FOUND, which lists them; slides are called by their row in the table. Raises
    RunError when the tiles are not those that were scored.
    """
    if (out / FOUND).exists():
        return
    tiles, store = _unseen(material, results=results)
    tiles["relapsed"] = tiles["patient_id"].map(cohort.patients[cohort.survival(locked.settings.endpoint).event] == 1)
    written = {
        "modules": _draw_modules(locked, store, tiles, out),
        "channels": _rank_channels(locked, store, tiles, out),
        **_draw_thresholds(locked, cohort, tiles, results=results, out=out),
    }
    write_sealed(out / FOUND, written)


def _unseen(material: TileStore, *, results: Path) -> tuple[pd.DataFrame, TileStore]:
    """Scored tiles of the patients the model was not trained on, and the store of just these tiles."""
    folds = pd.read_parquet(results / "patients.parquet", columns=["fold"])["fold"]
    store = material.select(patient_ids=folds.index[~folds.isin(["train", "validation", "not_scored"])])
    scores = pd.read_parquet(results / "regions.parquet", columns=["specimen_id", "tile", "score"])
    tiles = store.index.merge(scores, how="left", on=["specimen_id", "tile"], validate="one_to_one")
    if tiles.empty or tiles["score"].isna().any():
        raise RunError(
            f"got {int(tiles['score'].isna().sum())} of {len(tiles)} tiles without a score in {results}, wanted all;"
            " give the tiles that these results were computed from"
        )
    return tiles, store


def _draw_modules(locked: LockedRun, store: TileStore, tiles: pd.DataFrame, out: Path) -> dict[str, Any]:
    """A picture a method of tiles whose score agrees with their patient's outcome, one a patient, as in Figure S5."""
    high = tiles[tiles["relapsed"]].sort_values("score", ascending=False, kind="stable")
    low = tiles[~tiles["relapsed"]].sort_values("score", kind="stable")
    shown = pd.concat([each.drop_duplicates("patient_id").head(EACH_OUTCOME) for each in (high, low)])
    outcome = shown["relapsed"].map({True: "relapsed", False: "relapse-free"})
    names = [f"{name}\nscore {score:.2f}" for name, score in zip(outcome, shown["score"], strict=True)]
    images, network = store.read(shown.index.to_numpy()), _extractor(locked)
    files = {method: f"modules_{method.lower().replace('-', '_')}.png" for method in CAMS}
    for method, file in files.items():
        maps = module_maps(network, images, cam=CAMS[method])
        figure = _module_picture(images, maps, names)
        foot = f"overlays: evidence for relapse ({method}), each scaled to its own maximum\n{picture_note(locked)}"
        figure.supxlabel(foot, fontsize=7)
        with replacing(out / file) as temporary:
            figure.savefig(temporary)
    return {"files": files, "relapsed": int(shown["relapsed"].sum()), "relapse_free": int((~shown["relapsed"]).sum())}


def _module_picture(tiles: np.ndarray, maps: dict[str, np.ndarray], names: list[str]) -> Figure:
    """A row a tile of (n, h, w, 3) uint8, called by `names`: the tile, then the map of each module."""
    figure = Figure(figsize=(1.35 * (len(maps) + 1) + 0.9, 1.38 * len(tiles) + 0.8), dpi=180, layout="constrained")
    panels = figure.subplots(len(tiles), len(maps) + 1, squeeze=False)
    for row, name in zip(panels, names, strict=True):
        row[0].set_ylabel(name, fontsize=8)
    for column, name in zip(panels.T, ["tile", *maps], strict=True):
        column[0].set_title(name.replace(" self-", "\nself-"), fontsize=8)
        for panel, tile, overlay in zip(column, tiles, maps.get(name, [None] * len(tiles)), strict=True):
            _overlay(panel, tile, overlay)
    return figure


def _overlay(panel: Axes, tile: np.ndarray, overlay: np.ndarray | None) -> None:
    panel.imshow(tile)
    panel.set(xticks=[], yticks=[])
    panel.spines[:].set_visible(False)
    if overlay is not None and overlay.any():
        panel.imshow(overlay, cmap="inferno", vmin=0, vmax=1, alpha=0.75 * overlay)
    elif overlay is not None:
        panel.set_xlabel("empty map", fontsize=6, labelpad=1)


def _rank_channels(locked: LockedRun, store: TileStore, tiles: pd.DataFrame, out: Path) -> dict[str, Any] | None:
    """Write channels.csv; nothing where the network has no channel self-attention."""
    extractor = _extractor(locked)
    if isinstance(extractor.channel, nn.Identity):
        return None
    chosen = np.sort(np.random.default_rng(SEED).permutation(len(tiles))[:WEIGHED])
    sample = replace(store, index=store.index.iloc[chosen].reset_index(drop=True))
    patients = tiles["patient_id"].iloc[chosen]
    table = channel_weights(extractor, sample, batch=BATCH, patients=patients)
    write_text(out / "channels.csv", table.to_csv(index=False))
    ranked, count = table["channel"].tolist(), int(patients.nunique())
    ends = {"highest": ranked[:NAMED], "lowest": ranked[: -NAMED - 1 : -1]}
    return {"file": "channels.csv", **ends, "tiles": len(sample), "patients": count}


def _draw_thresholds(
    locked: LockedRun, cohort: Cohort, tiles: pd.DataFrame, *, results: Path, out: Path
) -> dict[str, Any]:
    """A picture a slide with its tiles of high and of low risk at each level."""
    cutoffs = levels(tiles["score"].to_numpy())
    chosen = extremes(pd.read_parquet(results / "predictions.parquet"), SPECIMENS)
    by_id = {specimen.specimen_id: specimen for specimen in cohort.specimens}
    target, drawn = locked.system.targets(locked.settings)[0].label, []
    for name, score in chosen["score"].items():
        specimen, own = by_id[str(name)], tiles[tiles["specimen_id"] == name]
        file = f"thresholds_{specimen.row:04d}.png"
        with open_slide(specimen.path, mpp=specimen.mpp, force=specimen.force_mpp) as slide:
            left, top, width, height = box_of(slide, specimen)
            save_levels(
                out / file,
                thumbnail=look(slide, specimen, longest=LONGEST),
                corners=own[["x", "y"]].to_numpy() - (left, top),
                scores=own["score"].to_numpy(),
                extent=float(own["extent"].iloc[0]),
                size=(width, height),
                levels=cutoffs,
                meaning="denoised recurrence score",
                note=picture_note(locked),
            )
        outcome = {"target": target, "relapsed": bool(own["relapsed"].iloc[0])}
        drawn.append({"row": specimen.row, "score": float(score), **outcome, "file": file})
    return {"levels": [asdict(level) for level in cutoffs], "thresholds": drawn}


def _extractor(locked: LockedRun) -> CnnSasm:
    return cast("CnnSasm", locked.network.get_submodule("extractor"))


def _pixels(network: nn.Module, images: Tensor) -> Tensor:
    return as_images(images).to(next(network.parameters()).device)


def _relapse(reading: Reading) -> Tensor:
    return reading.logits[:, 1]

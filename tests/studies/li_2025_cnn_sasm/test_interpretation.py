"""Interpretation: maps of each module, weights of each channel, and pictures of a locked run's unseen patients."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from einops import rearrange
from scipy import stats

from hepatica.cohort import RunError, load_cohort
from hepatica.cohort.atomic import read_json, write_json
from hepatica.cohort.seal import SEAL
from hepatica.learn import Arrays, as_images
from hepatica.networks import CnnSasm, backbone
from hepatica.pathology.store import TileStore
from hepatica.runs import LockedRun, open_run
from hepatica.saliency import grad_cam, hires_cam
from hepatica.studies.li_2025_cnn_sasm import interpretation
from hepatica.studies.li_2025_cnn_sasm.interpretation import channel_weights, interpret, module_maps

MODULES = ["convolution", "channel self-attention", "spatial self-attention"]


def build(**changes) -> CnnSasm:
    torch.manual_seed(0)
    body = backbone("resnet18.tv_in1k", shape={"channels": (8, 8, 16, 16)})
    return CnnSasm(body, channels=16, width=2, **changes)


def tiles(count: int = 5) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)


@pytest.mark.parametrize("cam", [grad_cam, hires_cam])
def test_a_map_of_each_module_lies_on_each_tile(cam: Callable) -> None:
    found = module_maps(build(), tiles(), cam=cam)
    assert list(found) == MODULES
    for maps in found.values():
        assert maps.shape == (5, 64, 64)
        assert set(np.unique(maps.max(axis=(1, 2)))) <= {0, 1}


def test_maps_of_tokens_keep_positions_in_their_places() -> None:
    """With positions in raster order, the spatial module's own map is that of its output laid out row by row."""
    network, images = build().eval(), tiles(2)
    pixels = as_images(torch.from_numpy(images))
    kept = module_maps(network, images, cam=hires_cam)["spatial self-attention"]
    with torch.no_grad():
        channels = network.channel(rearrange(network.body(network.normalise(pixels)), "b c h w -> b c (h w)"))
        positions = network.spatial(rearrange(channels, "b c n -> b n c"))
    positions.requires_grad_()
    logit = network.classify(network.sign(positions.max(dim=1).values))[:, 1].sum()
    evidence = (positions * torch.autograd.grad(logit, positions)[0]).sum(2).relu().detach()
    wanted = torch.nn.functional.interpolate(
        rearrange(evidence, "b (h w) -> b 1 h w", h=2), (64, 64), mode="bilinear", align_corners=False
    )[:, 0].numpy()
    strongest = wanted.max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(kept, wanted / np.where(strongest > 0, strongest, 1), atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "modules"),
    [
        ({"modules": "channel"}, MODULES[:2]),
        ({"modules": "spatial"}, [MODULES[0], MODULES[2]]),
        ({"mix": "reshape"}, MODULES[:2]),
        ({"gate": "attention"}, MODULES),
    ],
)
def test_modules_that_are_absent_or_no_places_have_no_map(changes: dict, modules: list[str]) -> None:
    assert list(module_maps(build(**changes), tiles(2))) == modules


def test_a_channels_direction_is_how_the_logit_moves_with_it() -> None:
    """Finite difference: scaling one channel by 1 + h moves the mean logit by h times its direction."""
    network, images, h = build().double().eval(), tiles(3), 1e-4
    table = channel_weights(Doubled(network), Arrays(values=images), batch=2, patients=["a", "a", "a"])
    pixels = as_images(torch.from_numpy(images)).double()
    for row in (table.iloc[0], table.iloc[-1]):

        def scale(_module, _inputs, output, channel=int(row["channel"])):
            return output * (1 + h * torch.eye(16).double()[channel][:, None])

        with torch.no_grad():
            plain = network(pixels).logits[:, 1]
            with network.channel.register_forward_hook(scale):
                moved = network(pixels).logits[:, 1]
        assert ((moved - plain) / h).mean().item() == pytest.approx(row["direction"], rel=0.02)
        assert ((moved - plain) / h).abs().mean().item() == pytest.approx(row["importance"], rel=0.02)


class Doubled(torch.nn.Module):
    """A network in double precision that takes images in single, with the module that is weighed."""

    def __init__(self, network: CnnSasm) -> None:
        super().__init__()
        self.network, self.channel = network, network.channel

    def forward(self, images: torch.Tensor):
        return self.network(images.double())


def test_weights_are_means_over_patients_with_an_interval_over_patients() -> None:
    network, images = build(), tiles(5)

    def alone(rows: list[int]) -> pd.Series:
        table = channel_weights(network, Arrays(values=images[rows]), batch=2, patients=["x"] * len(rows))
        assert table[["low", "high"]].isna().all(axis=None)
        return table.set_index("channel")["importance"].sort_index()

    means = pd.DataFrame({"a": alone([0, 1, 2]), "b": alone([3]), "c": alone([4])})
    table = channel_weights(network, Arrays(values=images), batch=3, patients=list("aaabc"))
    assert table["rank"].tolist() == list(range(1, 17))
    assert table["importance"].is_monotonic_decreasing
    found = table.set_index("channel").sort_index()
    np.testing.assert_allclose(found["importance"], means.mean(axis=1), rtol=1e-4)
    margin = stats.t.ppf(0.975, 2) * means.std(axis=1) / np.sqrt(3)
    np.testing.assert_allclose(found["high"], means.mean(axis=1) + margin, rtol=1e-4)
    np.testing.assert_allclose(found["low"], (means.mean(axis=1) - margin).clip(lower=0), rtol=1e-3, atol=1e-9)


def test_the_batch_does_not_change_the_weights() -> None:
    network, inputs = build(), Arrays(values=tiles(5))
    one, other = (channel_weights(network, inputs, batch=batch, patients=list("aabbc")) for batch in (1, 5))
    columns = ["importance", "low", "high", "direction"]
    np.testing.assert_allclose(
        one.sort_values("channel")[columns], other.sort_values("channel")[columns], rtol=1e-3, atol=1e-7
    )


@pytest.fixture(scope="module")
def locked(trained) -> LockedRun:
    return open_run(trained.run)


@pytest.fixture(scope="module")
def material(trained, locked: LockedRun) -> TileStore:
    return locked.system.prepare(load_cohort(trained.cohort), locked.settings, trained.run / "prepared")


def test_a_run_is_seen_once_and_without_names(trained, locked, material, tmp_path: Path, monkeypatch) -> None:
    cohort, out = load_cohort(trained.cohort), tmp_path / "interpretation"
    interpret(locked, cohort=cohort, material=material, results=trained.run, out=out)
    seen = read_json(out / "interpretation.json")
    files = [
        *seen["modules"]["files"].values(),
        seen["channels"]["file"],
        *(each["file"] for each in seen["thresholds"]),
    ]
    assert sorted([*files, "interpretation.json", SEAL]) == sorted(path.name for path in out.iterdir())
    told = " ".join(files) + (out / "interpretation.json").read_text() + (out / "channels.csv").read_text()
    names = {*cohort.patients.index, *(each.specimen_id for each in cohort.specimens)}
    assert not names & set(re.findall(r"[\w-]+", told))
    monkeypatch.setattr(TileStore, "read", lambda *_: pytest.fail("seen twice"))
    interpret(locked, cohort=cohort, material=material, results=trained.run, out=out)


def test_only_unseen_patients_are_seen(trained, locked, material, tmp_path: Path) -> None:
    cohort = load_cohort(trained.cohort)
    interpret(locked, cohort=cohort, material=material, results=trained.run, out=tmp_path)
    seen = read_json(tmp_path / "interpretation.json")
    folds = pd.read_parquet(trained.run / "patients.parquet")["fold"]
    unseen = set(folds.index[folds.isin(["test", "set_aside"])])
    assert seen["channels"]["patients"] == len(unseen)
    assert seen["channels"]["tiles"] == int(material.index["patient_id"].isin(unseen).sum())
    by_row = {each.row: each.patient_id for each in cohort.specimens}
    assert {by_row[each["row"]] for each in seen["thresholds"]} <= unseen
    regions = pd.read_parquet(trained.run / "regions.parquet")
    scores = regions.loc[regions["patient_id"].isin(unseen), "score"]
    assert seen["levels"][3]["high"] == pytest.approx(float(np.quantile(scores, 0.95)))
    for each in seen["thresholds"]:
        assert each["relapsed"] == bool(cohort.patients.loc[by_row[each["row"]], "recurrence_event"])


def test_of_a_region_the_region_alone_is_drawn(trained, locked, material, tmp_path: Path, monkeypatch) -> None:
    """A square of 300 pixels with a margin of a twentieth."""
    region, cohort, drawn = tmp_path / "region.geojson", load_cohort(trained.cohort), []
    square = [[100, 100], [400, 100], [400, 400], [100, 400]]
    write_json(region, {"geometry": {"type": "Polygon", "coordinates": [square]}, "properties": {}})
    specimens = tuple(replace(each, attachments={"region": region}) for each in cohort.specimens)
    tiles = interpretation._unseen(material, results=trained.run)[0].assign(relapsed=True)
    monkeypatch.setattr(interpretation, "save_levels", lambda path, **given: drawn.append(given))
    cohort = replace(cohort, specimens=specimens)
    interpretation._draw_thresholds(locked, cohort, tiles, results=trained.run, out=tmp_path)
    assert {(each["size"], each["thumbnail"].shape) for each in drawn} == {((330, 330), (330, 330, 3))}
    assert min(each["corners"].min() for each in drawn) == tiles[["x", "y"]].min(axis=None) - 85


def test_tiles_that_were_not_scored_are_refused(trained, locked, material, tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    for name in ("patients.parquet", "predictions.parquet"):
        (results / name).write_bytes((trained.run / name).read_bytes())
    pd.read_parquet(trained.run / "regions.parquet").iloc[:0].to_parquet(results / "regions.parquet")
    with pytest.raises(RunError, match="tiles without a score"):
        interpret(locked, cohort=load_cohort(trained.cohort), material=material, results=results, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()

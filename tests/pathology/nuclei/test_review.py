from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import MicronsPerPixel, Specimen, TilePixels
from hepatica.pathology.nuclei.drawn import drawn_pictures
from hepatica.pathology.nuclei.finder import Finder
from hepatica.pathology.nuclei.profile import PROFILE, nuclei_of_tiles, profiles
from hepatica.pathology.nuclei.review import FINDINGS, contact_sheet, extremes, review
from hepatica.pathology.phantom.scanner import write_slide
from hepatica.pathology.store import TileStore, prepare
from hepatica.pathology.tiles import Tiling


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> TileStore:
    """Four tiles of 128 pixels of each of two slides: mild and aggressive nuclei."""
    folder = tmp_path_factory.mktemp("store")
    specimens = []
    for number, place in enumerate((1, 4)):
        picture = drawn_pictures(5, seed=2)[place]
        write_slide(folder / f"{number}.tif", picture.image, mpp=0.5, quality=95)
        one = {"patient_id": f"p{number}", "specimen_id": f"s{number}", "path": folder / f"{number}.tif"}
        specimens.append(Specimen(modality="slide", row=number + 2, **one))
    tiling = Tiling(side=TilePixels(128), mpp=MicronsPerPixel(0.5))
    return prepare(specimens, tiling=tiling, folder=folder / "tiles", progress=False)


def test_nuclei_of_tiles_lie_on_their_slide(store: TileStore) -> None:
    found = nuclei_of_tiles(store, Finder())
    assert len(store) == 8
    assert set(found["region"]) <= set(range(8))
    inside = store.index.loc[found["region"].astype(int), ["x", "y"]].to_numpy() * 0.5
    offset = found[["x_um", "y_um"]].to_numpy(float) - inside
    assert ((offset >= 0) & (offset <= 64)).all()
    assert set(found["specimen_id"]) == {"s0", "s1"}
    names = pd.Index(["s0", "s1"])
    table = profiles(found, of="specimen_id", names=names, mm2=pd.Series(4 * 0.064**2, index=names))
    assert table.shape == (2, len(PROFILE))
    assert table["parenchymal_area_um2_mean"].notna().all()


def test_each_patient_gives_the_tile_of_either_end(store: TileStore) -> None:
    regions = store.index.assign(score=[0.1, 0.9, 0.5, 0.4, 0.7, 0.2, 0.3, 0.6])
    chosen = extremes(regions)
    assert chosen[chosen["end"] == "high"]["row"].tolist() == [1, 4]
    assert chosen[chosen["end"] == "low"]["row"].tolist() == [0, 5]
    alone = pd.DataFrame({"patient_id": ["a", "b", "b"], "score": [1.0, 2.0, np.nan]})
    assert set(extremes(alone)["patient_id"]) <= {"b"}


def test_findings_are_counted_and_the_sheet_drawn(store: TileStore, tmp_path: Path) -> None:
    regions = store.index.assign(score=np.linspace(0, 1, 8))
    table = review(store, regions, Finder())
    assert table[[*FINDINGS]].notna().to_numpy().all()
    nuclei = nuclei_of_tiles(store, Finder())
    own = nuclei[nuclei["region"] == table["row"].iloc[0]]
    lymphocytes = (own["kind"] == "lymphocyte").sum() / 0.064**2
    assert table["immune_cells"].iloc[0] == pytest.approx(lymphocytes, rel=0.35)  # classed beside other tiles
    contact_sheet(store, table, path=tmp_path / "sheet.png", note="phantom", meaning="risk")
    assert (tmp_path / "sheet.png").stat().st_size > 10_000

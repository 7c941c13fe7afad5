"""One split for all subsets, and external slides read no more densely than those of training."""

from typing import Any

from hepatica.cohort.atomic import read_json


def test_all_subsets_share_one_split_and_one_folder_of_tiles(studied: Any) -> None:
    subsets = studied.folder / "subsets"
    assert (subsets / "1_of_2" / "splits.csv").read_text() == (subsets / "1_of_1" / "splits.csv").read_text()
    assert (subsets / "1_of_2" / "model.json").read_text() != (subsets / "1_of_1" / "model.json").read_text()
    assert not list(subsets.glob("*/prepared"))


def test_external_slides_are_undersampled_and_that_is_written_down(studied: Any) -> None:
    written = read_json(studied.folder / "subsets" / "1_of_2" / "external" / "b" / "cohort.json")
    assert written["changes"] == {"tiles_per_specimen": studied.settings.tiles_per_specimen}

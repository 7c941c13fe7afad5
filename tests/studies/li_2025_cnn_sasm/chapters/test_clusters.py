from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hepatica.report.chapters.signatures import silhouette
from hepatica.report.page.blocks import Figure, Table, Text
from hepatica.studies.li_2025_cnn_sasm.chapters import clusters
from hepatica.studies.li_2025_cnn_sasm.chapters.clusters import clouds, section
from hepatica.studies.li_2025_cnn_sasm.found import Study


def test_silhouette_by_hand() -> None:
    """Points 0, 1 | 10, 12: (a, b) are (1, 11), (1, 10), (2, 9.5), (2, 11.5); the silhouette of each is 1 - a / b."""
    found = silhouette(np.array([[0.0], [1], [10], [12]]), label=np.array([0.0, 0, 1, 1]))
    assert found == pytest.approx(np.mean([1 - 1 / 11, 1 - 1 / 10, 1 - 2 / 9.5, 1 - 2 / 11.5]))


def test_silhouette_is_none_where_an_outcome_has_one_signature() -> None:
    points = np.arange(4.0)[:, None]
    assert np.isnan(silhouette(points, label=np.array([0.0, 0, 0, 1])))
    unknown = silhouette(np.arange(5.0)[:, None], label=np.array([0.0, 0, 1, 1, np.nan]))
    assert unknown == silhouette(points, label=np.array([0.0, 0, 1, 1]))


def test_images_are_the_means_of_their_tiles_and_everybody_is_confirmed_at_ratio_1(
    make_study: Callable[..., Study],
) -> None:
    study = make_study()
    study = replace(study, subsets={"1/4": study.run, "1": study.run})
    table, signatures = study.run.internal.regions()
    strict, everybody = clouds(study, level="image")
    own = table["specimen_id"] == table["specimen_id"].iloc[0]
    np.testing.assert_allclose(everybody.signatures[0], signatures[own].mean(axis=0), rtol=1e-5)
    assert len(everybody.signatures) == table["specimen_id"].nunique()
    assert everybody.confirmed.all()
    assert everybody.everybody == everybody.subset
    assert 0 < strict.confirmed.mean() < 0.5


def test_confirmed_are_the_relapsed_who_died_early_and_the_relapse_free_who_lived_long(
    make_study: Callable[..., Study],
) -> None:
    study = make_study()
    (cloud,) = clouds(study, level="image")
    table, _ = study.run.internal.regions()
    patients = study.run.internal.patients.loc[table.drop_duplicates("specimen_id")["patient_id"]]
    for outcome, better in ((1, np.less_equal), (0, np.greater_equal)):
        months = patients["overall_survival_months"].to_numpy()[cloud.label == outcome]
        kept = cloud.confirmed[cloud.label == outcome]
        edge = months[kept].max() if outcome else months[kept].min()
        np.testing.assert_array_equal(better(months, edge), kept)


def test_numbers_stand_under_each_map_and_in_the_table(
    make_study: Callable[..., Study], sketchbook: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "LIMIT", 60)
    study = make_study()
    study = replace(study, subsets={"1/2": study.run, "1": study.run})
    gallery = sketchbook(tmp_path)
    blocks = section(study, gallery).blocks
    assert [len(each.panels) for each in blocks if isinstance(each, Figure)] == [2, 2]
    (table,) = (each for each in blocks if isinstance(each, Table))
    assert [row[0] for row in table.rows] == ["1/2", "1"]
    for name in ("clusters_image_pca", "clusters_image_tsne"):
        assert f"all {table.rows[0][3]}\nconfirmed {table.rows[0][4]}" in gallery.words[name]


def test_too_few_to_draw_is_said(
    make_study: Callable[..., Study], sketchbook: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "LIMIT", 5)
    blocks = section(make_study(), sketchbook(tmp_path)).blocks
    assert [type(each) for each in blocks] == [Text, Text, Text, Table]
    assert "Only 5 tiles" in blocks[1].text

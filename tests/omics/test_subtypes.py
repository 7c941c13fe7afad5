"""Subtypes: planted ones are found in the order of their hazard; without any, what is found holds for nobody else."""

from math import comb

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from hepatica.cohort import CohortError
from hepatica.evaluate import log_rank_p
from hepatica.omics.path_vectors import cox_statistics
from hepatica.omics.subtypes import (
    FEWEST,
    associated,
    chosen_nodes,
    enriched,
    find_subtypes,
    null_of_subtypes,
    read_gene_sets,
    stability_of_subtypes,
)


def patients(count: int, *, seed: int, effect: float, nodes: int = 20):
    """Nodes, of which the first four follow one of two kinds of patients, and survival that follows it by `effect`."""
    rng = np.random.default_rng(seed)
    kind = rng.random(count) < 0.4
    values = rng.normal(size=(count, nodes))
    values[:, :4] += 4 * kind[:, None]
    time = rng.exponential(np.exp(-effect * kind) * 30)
    end = rng.uniform(10, 60, count)
    return values, {"time": np.minimum(time, end), "event": (time <= end).astype(float)}, kind


def test_nodes_are_chosen_by_the_score_test_and_never_fewer_than_some() -> None:
    values, outcome, _ = patients(100, seed=1, effect=1.5)
    p = 2 * norm.sf(cox_statistics(values, **outcome))
    np.testing.assert_array_equal(chosen_nodes(values, **outcome, alpha=0.05), p < 0.05)
    fewest = chosen_nodes(values, **outcome, alpha=1e-12)
    assert set(np.flatnonzero(fewest)) == set(np.argsort(p)[:FEWEST])


def test_planted_subtypes_are_found_the_worse_one_first() -> None:
    for effect in (1.5, -1.5):
        values, outcome, kind = patients(120, seed=2, effect=effect)
        found = find_subtypes(values, **outcome, alpha=0.05, most=4, seed=0)
        assert found.count == 2
        assert set(np.flatnonzero(found.chosen)) >= {0, 1, 2, 3}
        assert (found.groups == (~kind if effect > 0 else kind)).mean() > 0.97


def test_patients_who_are_all_alike_have_no_subtypes() -> None:
    _, outcome, _ = patients(60, seed=3, effect=1.5)
    with pytest.raises(CohortError, match="got 1 different patients to cluster"):
        find_subtypes(np.zeros((60, 5)), **outcome, alpha=0.05, most=4, seed=0)


def test_planted_subtypes_are_stable_and_beyond_the_null() -> None:
    values, outcome, _ = patients(120, seed=3, effect=1.5)
    how = {**outcome, "alpha": 0.05, "most": 2, "seed": 0}
    assert stability_of_subtypes(values, resamples=5, **how).value > 0.9
    null = null_of_subtypes(values, permutations=19, **how)
    groups = find_subtypes(values, **how).groups
    assert 10**-null.observed == pytest.approx(log_rank_p(**outcome, group=groups).value)
    assert null.p == pytest.approx(1 / 20)


def test_without_signal_survival_differs_where_subtypes_were_found_and_not_elsewhere() -> None:
    """In 40 cohorts: P < 0.05 too often where they were found; elsewhere in 5 %, at most 6 of 40 (P = 0.997)."""
    inside, outside = 0, 0
    for seed in range(40):
        values, outcome, _ = patients(160, seed=seed, effect=0, nodes=60)
        values = values @ np.random.default_rng(seed).normal(size=(60, 60))
        seen, new = slice(0, 100), slice(100, None)
        own = {name: each[seen] for name, each in outcome.items()}
        found = find_subtypes(values[seen], **own, alpha=0.05, most=2, seed=seed)
        nodes = values[:, found.chosen]
        centres = np.stack([nodes[seen][found.groups == each].mean(axis=0) for each in range(found.count)])
        called = np.linalg.norm(nodes[:, None] - centres, axis=2).argmin(axis=1)
        inside += log_rank_p(**own, group=found.groups).value < 0.05
        outside += log_rank_p(**{name: each[new] for name, each in outcome.items()}, group=called[new]).value < 0.05
    assert inside > 12
    assert outside <= 6


def test_hypergeometric_p_and_q_by_hand() -> None:
    """Of ten genes four are chosen; three of them are in a set of four, one in another of four."""
    among = list("ABCDEFGHIJ")
    sets = {"cycle": {"A", "B", "C", "E", "OTHER"}, "other": {"D", "F", "G", "H"}, "absent": {"X"}}
    found = enriched(["A", "B", "C", "D"], among=among, sets=sets).set_index("set")
    three_or_more = (comb(4, 3) * comb(6, 1) + comb(4, 4)) / comb(10, 4)
    one_or_more = 1 - comb(6, 4) / comb(10, 4)
    assert found.loc["cycle", ["genes", "chosen"]].tolist() == [4, 3]
    assert found["p"].tolist() == pytest.approx([three_or_more, one_or_more])
    assert found["q"].tolist() == pytest.approx([2 * three_or_more, one_or_more])
    assert "absent" not in found.index


def test_mutations_by_fisher_with_false_discoveries_by_hand() -> None:
    groups = pd.Series(["S1"] * 4 + ["S2"] * 4, index=list("abcdefgh"))
    mutations = pd.DataFrame(
        {"TP53": [1, 1, 1, 1, 0, 0, 0, 0], "RB1": [1, 1, 0, 0, 1, 1, 0, np.nan], "ALB": 0}, index=groups.index
    )
    found = associated(groups, mutations=mutations).set_index("mutation")
    assert found.index.tolist() == ["TP53", "RB1"]
    assert found.loc["TP53", ["S1", "S2"]].tolist() == [1, 0]
    assert found.loc["TP53", "p"] == pytest.approx(2 / comb(8, 4))
    assert found.loc["RB1", "p"] == pytest.approx(1)
    assert found.loc["TP53", "q"] == pytest.approx(4 / comb(8, 4))


def test_gmt_is_read_and_another_file_refused(tmp_path) -> None:
    path = tmp_path / "sets.gmt"
    path.write_text("WNT\thttp://x\tAXIN2\tLGR5\t\nCYCLE\t\tMKI67\n\n")
    assert read_gene_sets(path) == {"WNT": {"AXIN2", "LGR5"}, "CYCLE": {"MKI67"}}
    path.write_text("WNT,AXIN2\n")
    with pytest.raises(CohortError, match=r"sets.gmt row 1: got 1 cells, wanted a name, a description, genes"):
        read_gene_sets(path)

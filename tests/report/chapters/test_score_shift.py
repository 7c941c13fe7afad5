from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from hepatica.report.chapters.prevalence import paint_scores, score_rows
from hepatica.report.page.groups import compared_groups
from hepatica.report.page.results import read_run


def test_scores_are_told_of_each_group_but_the_one_learnt_from(finished: Path) -> None:
    run = read_run(finished, external=[])
    rows = {row[0]: row[1:] for row in score_rows(run, compared_groups(run))}
    high = run.internal.outcomes(run.targets[0])["group"] == "high"
    assert rows["Score at 12 months: called high risk"] == [
        "\N{EN DASH}",
        f"{high.sum()}\N{NO-BREAK SPACE}({high.mean():.0%})",
    ]
    assert len(rows) == 2 * len(run.targets)


def test_an_empty_panel_says_why(finished: Path) -> None:
    group, figure = compared_groups(read_run(finished, external=[]))[1], Figure()
    paint_scores(figure, scores=[(group, pd.Series(dtype=float))], title="", cutoff=0.5)
    assert [text.get_text() for text in figure.axes[0].texts] == ["No patients with a score."]

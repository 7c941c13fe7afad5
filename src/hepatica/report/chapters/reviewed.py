"""Reviewed: the tiles of highest and lowest score, their findings counted, with tests corrected for their number."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, wilcoxon

from hepatica.pathology.nuclei.detections import FINDINGS
from hepatica.report.page import Block, Figure, Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.wording import NONE, p_value

REVIEW, SHEET = "review.parquet", "review.png"
"""Beside the results of a cohort: the counted tiles, and the contact sheet."""

TEXT = (
    "Of each patient, the tile of the highest and the tile of the lowest score are compared. Nuclei are found and"
    " classed by the program, not by a pathologist: a stromal nucleus is a long one, a lymphocyte a small, round, dark"
    " one. {}Patients differ more among themselves than their tiles do; where the score depends on what all tiles of a"
    " patient share, the highest and lowest tile look alike."
)


def section(run: Run, gallery: Gallery, *, expected: Mapping[str, int], remark: str = "") -> Section | str:
    """A contact sheet and a table of each cohort whose tiles were counted.

    `expected` is the direction, 1 or -1, in which a paper's pathologists saw each finding where the score is high, and
    `remark` what the paper reports.
    """
    blocks: list[Block] = [Text(text=TEXT.format(remark))]
    for results in run.cohorts:
        if not (results.folder / REVIEW).exists():
            continue
        alt = f"Tiles of highest and lowest score, {results.title}"
        panel = gallery.show(results.folder / SHEET, alt=alt)
        table = _table(results, compared(pd.read_parquet(results.folder / REVIEW)), expected)
        blocks += [Figure(caption=f"{alt}, one of each patient.", panels=[panel], columns=1), table]
    return Section(anchor="reviewed", title="Pathology of predictive tiles, counted", blocks=blocks)


def compared(table: pd.DataFrame) -> pd.DataFrame:
    """By finding: patients, median in high and low tiles, median difference within patients, P and q (Wilcoxon's signed
    rank test; Benjamini and Hochberg's rate over the findings). P is missing where fewer than 6 patients differ.
    """
    rows = {}
    for name in FINDINGS:
        both = table.pivot_table(index="patient_id", columns="end", values=name, aggfunc="first")
        both = both.reindex(columns=["high", "low"]).dropna()
        apart = both["high"] - both["low"]
        p = float(wilcoxon(apart[apart != 0]).pvalue) if (apart != 0).sum() > 5 else np.nan
        rows[name] = {"n": len(both), "high": both["high"].median(), "low": both["low"].median()}
        rows[name] |= {"difference": apart.median(), "p": p}
    found = pd.DataFrame(rows).T
    known = found["p"].notna()
    found.loc[known, "q"] = false_discovery_control(found.loc[known, "p"]) if known.any() else np.nan
    return found.reindex(columns=["n", "high", "low", "difference", "p", "q"])


def _table(results: Results, found: pd.DataFrame, expected: Mapping[str, int]) -> Table:
    rows = []
    for name, row in found.iterrows():
        numbers = [f"{row[each]:.3g}" for each in ("high", "low", "difference")]
        agrees = "as described" if row["difference"] * expected[str(name)] > 0 else "opposite"
        q = NONE if pd.isna(row["q"]) else p_value(row["q"])
        rows.append([FINDINGS[str(name)], f"{row['n']:.0f}", *numbers, q, agrees if row["q"] < 0.05 else ""])
    return Table(
        caption=f"Findings in the highest and the lowest tile of each patient. {results.title}.",
        header=["", "Patients", "Highest, median", "Lowest, median", "Median difference", "P, corrected", "Paper"],
        rows=rows,
        note="Wilcoxon's signed rank test within patients; P corrected by Benjamini and Hochberg over the findings."
        " Paper: whether a difference with P below 0.05 has the direction that its pathologists describe.",
    )

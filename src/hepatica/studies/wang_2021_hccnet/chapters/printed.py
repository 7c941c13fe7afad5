"""Printed: what Wang 2021 prints in its tables, to compare with what is found here, and the covariates of Table 3.

Wang M, et al. Br J Cancer 2021;125:1111, doi 10.1038/s41416-021-01511-w. Rates are kept as the counts they come from:
all printed ones of Table 2 follow from these to the third decimal.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from hepatica.evaluate import Confusion
from hepatica.radiology.risk_score import from_share
from hepatica.report.chapters import readers
from hepatica.report.chapters.covariates import Parameter, Parts, Scale
from hepatica.report.chapters.published import Printed

TABLE_2 = Printed(
    counts={
        "internal": Confusion(tp=171, fn=47, tn=141, fp=26),
        "external": Confusion(tp=236, fn=28, tn=216, fp=76),
    },
    cells={"internal": {"auroc": "0.887 (0.855 to 0.919)"}, "external": {"auroc": "0.883 (0.855 to 0.911)"}},
    text="Table 2 of the paper. Neither of its test sets has a patient without a lesion, although 3,421 of 7,512"
    " training patients had none: specificity depends on who the others are, see the subgroups. The paper does not give"
    " its cut-off.",
    note="The paper's rates are computed from the counts of its patients, with which every number it prints agrees; it"
    " gives no intervals of kappa and F1.",
)

READERS = readers.Printed(
    against=(
        {"accuracy": 0.107, "sensitivity": 0.064, "specificity": 0.981, "ppv": 0.801, "npv": 0.056, "f1": 0.082},
        {"accuracy": 0.663, "sensitivity": 0.109, "specificity": 0.039, "ppv": 0.061, "npv": 0.360, "f1": 0.866},
    ),
    aided=({"accuracy": 0.026}, {"accuracy": 0.017}),
    text="The paper (Tables 4 and 5, Figures 2 and 4) compares three radiologists with the model by a t test; its P are"
    " those of its own readers and patients. Its readers agree on 82.1% of the patients with kappa 0.761 in its"
    " internal, 62.2% and 0.489 in its external test set. Table 5 is printed with sensitivity and specificity, and"
    " precision and negative predictive value, in each other's rows; from its counts, the P of accuracy are 0.026 and"
    " 0.013.",
)

NODULES: Mapping[str, str] = {
    "": "14,778 images, 31 patients",
    "auroc": "0.901 (0.893 to 0.910)",
    "sensitivity": "0.915 (0.895 to 0.932)",
    "specificity": "0.760 (0.747 to 0.772)",
}
"""NoduleNet on single images (Supplementary Fig. 4); the widths of the intervals go with about 5,200 images."""

HEATMAPS = (
    "In the paper (Figure 5) five radiologists looked at 13,868 maps of 63 patients, without outlines, and found that"
    " 0.921 (0.892 to 0.950) of them captured the main area of the nodules: another measure."
)


def risk(score: np.ndarray) -> np.ndarray:
    """HCC risk score (n,), 0 or more; a score is 1 - 10^-risk, the last one below 1 that of all rounded up to it."""
    return from_share(np.minimum(score, np.nextafter(1, 0)))


RISK = Scale(
    name="HCC risk score",
    of=risk,
    only="resected",
    text="It is -log10(1 - p), weighted over the images of a patient; 1 means odds of about nine to one. Table 3 and"
    " Figure 3 of the paper, which names none of its tests. Its scores cannot come from its printed formula with all"
    " images of a patient (see Readings of the risk score): its columns may be compared with each other, not with ours."
    " ",
)
"""Only resected patients count, as in the paper, where patients.csv has that column."""


def _at(threshold: float, below: str, above: str) -> Parts:
    return lambda values: {below: values <= threshold, above: values > threshold}


def _levels(letter: str, numbers: Sequence[int]) -> Parts:
    return lambda values: {f"{letter}{number}": values == number for number in numbers}


def _stages(values: pd.Series) -> "dict[str, pd.Series[bool]]":
    """Early and late, whatever letter follows the numeral: IIIA is III."""
    numeral = values.astype("string").str.extract(r"^(IV|III|II|I)", expand=False)
    return {"I + II": numeral.isin(["I", "II"]), "III + IV": numeral.isin(["III", "IV"])}


TABLE_3: Sequence[Parameter] = (
    Parameter(
        title="Tumour size",
        column="tumour_size_cm",
        parts=_at(5.0, "≤ 5 cm", "> 5 cm"),
        printed={
            "P": ("0.123", "0.111", "0.057"),
            "≤ 5 cm": ("0.1398 ± 0.1429", "0.1201 ± 0.1136", "0.1328 ± 0.1332"),
            "> 5 cm": ("0.1712 ± 0.1446", "0.1507 ± 0.1370", "0.1594 ± 0.1404"),
        },
    ),
    Parameter(
        title="TNM stage",
        column="tnm_stage",
        parts=_stages,
        printed={
            "P": ("0.041", "0.838", "0.104"),
            "I + II": ("0.1435 ± 0.1324", "0.1394 ± 0.1329", "0.1417 ± 0.1324"),
            "III + IV": ("0.2393 ± 0.2031", "0.1438 ± 0.1216", "0.1767 ± 0.1596"),
        },
    ),
    Parameter(
        title="Tumour number",
        column="tumour_number",
        parts=_at(1, "solitary", "multiple"),
        printed={
            "P": ("0.007", "0.341", "0.006"),
            "solitary": ("0.1390 ± 0.1319", "0.1361 ± 0.1298", "0.1376 ± 0.1307"),
            "multiple": ("0.2334 ± 0.1800", "0.1607 ± 0.1316", "0.1971 ± 0.1606"),
        },
    ),
    Parameter(
        title="Major vascular invasion",
        column="vascular_invasion",
        parts=_at(0, "no", "yes"),
        printed={
            "P": ("0.979", "0.017", "0.124"),
            "no": ("0.1546 ± 0.1506", "0.1208 ± 0.1169", "0.1390 ± 0.1359"),
            "yes": ("0.1534 ± 0.1368", "0.1689 ± 0.1433", "0.1613 ± 0.1399"),
        },
    ),
    Parameter(
        title="Fibrosis stage (METAVIR)",
        column="metavir",
        parts=_levels("F", range(5)),
        printed={
            "P": ("<0.001", "0.826", "0.001"),
            "F0": ("0.0892 ± 0.0817", "0.1454 ± 0.1400", "0.1228 ± 0.1225"),
            "F1": ("0.1434 ± 0.1381", "0.1540 ± 0.1385", "0.1498 ± 0.1378"),
            "F2": ("0.0512 ± 0.0368", "0.1031 ± 0.1081", "0.0858 ± 0.0936"),
            "F3": ("0.1997 ± 0.2003", "0.0989 ± 0.1160", "0.1637 ± 0.1794"),
            "F4": ("0.1929 ± 0.1478", "0.1659 ± 0.1159", "0.1871 ± 0.1416"),
        },
    ),
    Parameter(
        title="Severe fibrosis (METAVIR)",
        column="metavir",
        parts=_at(2, "F0 to F2", "F3 and F4"),
        printed={
            "P": ("", "", "<0.001"),
            "F0 to F2": ("", "", "0.1265 ± 0.1260"),
            "F3 and F4": ("", "", "0.1826 ± 0.1492"),
        },
    ),
    Parameter(
        title="Histologic grade",
        column="grade",
        parts=_levels("G", range(1, 5)),
        printed={
            "P": ("0.507", "0.395", "0.285"),
            "G1": ("0.1298 ± 0.1496", "0.1656 ± 0.1381", "0.1439 ± 0.1447"),
            "G2": ("0.1577 ± 0.1353", "0.1291 ± 0.1236", "0.1427 ± 0.1298"),
            "G3": ("0.1502 ± 0.1647", "0.1769 ± 0.1495", "0.1580 ± 0.1581"),
            "G4": ("0.2269 ± 0.1742", "NA", "0.2511 ± 0.1603"),
        },
    ),
)
"""Mean ± SD of the HCC risk scores of resected patients: internal, external, all. Its G4 of all fits neither column."""

"""Printed: what Wang 2021 prints in its tables, to compare with what is found here, and the covariates of Table 3.

Wang M, et al. Br J Cancer 2021;125:1111, doi 10.1038/s41416-021-01511-w. Rates are kept as the counts they come from:
all printed ones of Table 2 follow from these to the third decimal.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hepatica.evaluate import Confusion
from hepatica.radiology.risk_score import from_share
from hepatica.report.chapters import readers
from hepatica.report.chapters.published import Printed
from hepatica.report.chapters.variables.covariates import Parameter, Parts, Scale, divided, levels

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
    text="The paper (Tables 4 and 5, Figures 2 and 4) compares three radiologists with the model by a t test; its P"
    " values are those of its own readers and patients. Its readers agree on 82.1% of the patients with kappa 0.761 in"
    " its internal, 62.2% and 0.489 in its external test set. Table 5 is printed with sensitivity and specificity, and"
    " precision and negative predictive value, in each other's rows; from its counts, the P values of accuracy are"
    " 0.026 and 0.013.",
)

NODULES: Mapping[str, str] = {
    "": "14,778 images, 31 patients",
    "auroc": "0.901 (0.893 to 0.910)",
    "sensitivity": "0.915 (0.895 to 0.932)",
    "specificity": "0.760 (0.747 to 0.772)",
}
"""NoduleNet on single images (Supplementary Fig. 4); the widths of the intervals go with about 5,200 images."""

HEATMAPS = (
    "In the paper (Figure 5) five radiologists examined 13,868 maps of 63 patients, without outlines, and found that"
    " 0.921 (0.892 to 0.950) of them captured the main area of the nodules, which is a different measure."
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


def _stages(values: pd.Series) -> "dict[str, pd.Series[bool]]":
    """Early and late, whatever letter follows the numeral: IIIA is III."""
    numeral = values.astype("string").str.extract(r"^(IV|III|II|I)", expand=False)
    return {"I + II": numeral.isin(["I", "II"]), "III + IV": numeral.isin(["III", "IV"])}


_PARTS: Mapping[str, tuple[str, Parts]] = {
    "Tumour size": ("tumour_size_cm", divided(5.0, "≤ 5 cm", "> 5 cm")),
    "TNM stage": ("tnm_stage", _stages),
    "Tumour number": ("tumour_number", divided(1, "solitary", "multiple")),
    "Major vascular invasion": ("vascular_invasion", divided(0, "no", "yes")),
    "Fibrosis stage (METAVIR)": ("metavir", levels("F", range(5))),
    "Severe fibrosis (METAVIR)": ("metavir", divided(2, "F0 to F2", "F3 and F4")),
    "Histologic grade": ("grade", levels("G", range(1, 5))),
}
_ROWS = pd.read_csv(Path(__file__).with_name("table_3.csv"), keep_default_na=False).to_numpy().tolist()

TABLE_3: Sequence[Parameter] = [
    Parameter(
        title=title, column=column, parts=parts, printed={part: cells for of, part, *cells in _ROWS if of == title}
    )
    for title, (column, parts) in _PARTS.items()
]
"""Mean ± SD of the HCC risk scores of resected patients: internal, external, all. Its G4 of all fits neither column."""

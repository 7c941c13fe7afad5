"""Published: what Wang 2021 prints in its tables, to stand beside what is found here.

Wang M, et al. Br J Cancer 2021;125:1111, doi 10.1038/s41416-021-01511-w. Rates are kept as the counts they come from:
all printed ones of Tables 2 and 4 follow from these to the third decimal. Those of Table 5 are printed with rows
swapped; its counts are those its printed confidence intervals allow.
"""

from collections.abc import Mapping

from hepatica.evaluate import Confusion

WHERE = ("internal", "external")
"""The paper's test sets, of the hospital of training and of another."""

TABLE_2: Mapping[str, Confusion] = {
    "internal": Confusion(tp=171, fn=47, tn=141, fp=26),
    "external": Confusion(tp=236, fn=28, tn=216, fp=76),
}

AUROC = {"internal": "0.887 (0.855 to 0.919)", "external": "0.883 (0.855 to 0.911)"}

UNAIDED: Mapping[str, tuple[Confusion, ...]] = {
    "internal": (
        Confusion(tp=39, fn=15, tn=38, fp=3),
        Confusion(tp=42, fn=12, tn=38, fp=3),
        Confusion(tp=41, fn=13, tn=35, fp=6),
    ),
    "external": (
        Confusion(tp=35, fn=11, tn=26, fp=10),
        Confusion(tp=39, fn=7, tn=28, fp=8),
        Confusion(tp=38, fn=8, tn=29, fp=7),
    ),
}
"""Table 4, the three radiologists."""

AIDED: Mapping[str, tuple[Confusion, ...]] = {
    "internal": (
        Confusion(tp=44, fn=10, tn=38, fp=3),
        Confusion(tp=46, fn=8, tn=38, fp=3),
        Confusion(tp=48, fn=6, tn=35, fp=6),
    ),
    "external": (
        Confusion(tp=38, fn=8, tn=27, fp=9),
        Confusion(tp=42, fn=4, tn=30, fp=6),
        Confusion(tp=41, fn=5, tn=32, fp=4),
    ),
}
"""Table 5, the same radiologists with the model's probability before them."""

MACHINE: Mapping[str, Confusion] = {
    "internal": Confusion(tp=44, fn=10, tn=37, fp=4),
    "external": Confusion(tp=34, fn=12, tn=32, fp=4),
}
"""Table 4, HCCNet on the patients that were read."""

AGAINST_P = {
    "internal": {
        "accuracy": 0.107, "sensitivity": 0.064, "specificity": 0.981, "ppv": 0.801, "npv": 0.056, "f1": 0.082,
    },
    "external": {
        "accuracy": 0.663, "sensitivity": 0.109, "specificity": 0.039, "ppv": 0.061, "npv": 0.360, "f1": 0.866,
    },
}  # fmt: skip
"""P values of HCCNet against the radiologists, as printed."""

AIDED_P = {"internal": {"accuracy": 0.026}, "external": {"accuracy": 0.017}}
"""P values of the radiologists with against without the model, as printed."""

NODULES = {"auroc": "0.901 (0.893 to 0.910)", "sensitivity": "0.915 (0.895 to 0.932)",
           "specificity": "0.760 (0.747 to 0.772)"}  # fmt: skip
"""NoduleNet on 14,778 images of 31 patients (Supplementary Fig. 4); the intervals take every image for a patient."""

HEATMAPS = "0.921 (0.892 to 0.950)"
"""Share of 13,868 heatmaps of 63 patients that five radiologists found to capture the main area of the nodules."""

TABLE_3: Mapping[str, Mapping[str, tuple[str, str, str]]] = {
    "size": {
        "P": ("0.123", "0.111", "0.057"),
        "≤ 5 cm": ("0.1398 ± 0.1429", "0.1201 ± 0.1136", "0.1328 ± 0.1332"),
        "> 5 cm": ("0.1712 ± 0.1446", "0.1507 ± 0.1370", "0.1594 ± 0.1404"),
    },
    "stage": {
        "P": ("0.041", "0.838", "0.104"),
        "I + II": ("0.1435 ± 0.1324", "0.1394 ± 0.1329", "0.1417 ± 0.1324"),
        "III + IV": ("0.2393 ± 0.2031", "0.1438 ± 0.1216", "0.1767 ± 0.1596"),
    },
    "number": {
        "P": ("0.007", "0.341", "0.006"),
        "solitary": ("0.1390 ± 0.1319", "0.1361 ± 0.1298", "0.1376 ± 0.1307"),
        "multiple": ("0.2334 ± 0.1800", "0.1607 ± 0.1316", "0.1971 ± 0.1606"),
    },
    "invasion": {
        "P": ("0.979", "0.017", "0.124"),
        "no": ("0.1546 ± 0.1506", "0.1208 ± 0.1169", "0.1390 ± 0.1359"),
        "yes": ("0.1534 ± 0.1368", "0.1689 ± 0.1433", "0.1613 ± 0.1399"),
    },
    "fibrosis": {
        "P": ("<0.001", "0.826", "0.001"),
        "F0": ("0.0892 ± 0.0817", "0.1454 ± 0.1400", "0.1228 ± 0.1225"),
        "F1": ("0.1434 ± 0.1381", "0.1540 ± 0.1385", "0.1498 ± 0.1378"),
        "F2": ("0.0512 ± 0.0368", "0.1031 ± 0.1081", "0.0858 ± 0.0936"),
        "F3": ("0.1997 ± 0.2003", "0.0989 ± 0.1160", "0.1637 ± 0.1794"),
        "F4": ("0.1929 ± 0.1478", "0.1659 ± 0.1159", "0.1871 ± 0.1416"),
    },
    "severe": {
        "P": ("", "", "<0.001"),
        "F0 to F2": ("", "", "0.1265 ± 0.1260"),
        "F3 and F4": ("", "", "0.1826 ± 0.1492"),
    },
    "grade": {
        "P": ("0.507", "0.395", "0.285"),
        "G1": ("0.1298 ± 0.1496", "0.1656 ± 0.1381", "0.1439 ± 0.1447"),
        "G2": ("0.1577 ± 0.1353", "0.1291 ± 0.1236", "0.1427 ± 0.1298"),
        "G3": ("0.1502 ± 0.1647", "0.1769 ± 0.1495", "0.1580 ± 0.1581"),
        "G4": ("0.2269 ± 0.1742", "NA", "0.2511 ± 0.1603"),
    },
}
"""HCC risk scores of resected patients, mean ± SD: internal, external, total. Its G4 total fits neither column."""

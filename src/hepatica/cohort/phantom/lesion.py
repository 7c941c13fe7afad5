"""Lesion: the kinds of focal liver lesion, what of one can be seen, and the classes that papers part them into.

Among patients without HCC each kind of Table 1 of Wang 2021 (doi 10.1038/s41416-021-01511-w) has a share that grows
with the root of its count in all three cohorts, so that small cohorts hold rare kinds too (ours).
"""

from collections.abc import Mapping
from dataclasses import dataclass

HCC, CCA, NORMAL = "hcc", "cholangiocarcinoma", "normal"
"""The kinds of a patient with HCC, with cholangiocarcinoma, and of one without lesion."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of lesion: how many of Wang 2021 had it, and of five types of lesion the one it is of.

    `median_cm`: usual size of the largest one. `several_share`: of patients who have more than one.
    """

    count: int
    type: str
    median_cm: float = 3
    several_share: float = 0.15


KINDS: Mapping[str, Kind] = {
    CCA: Kind(count=59, type="other malignant", median_cm=5),
    "metastasis": Kind(count=271 + 5 + 205, type="other malignant", median_cm=2.6, several_share=0.75),
    "sarcoma": Kind(count=9, type="other malignant", median_cm=8),
    "hemangioma": Kind(count=1896 + 119 + 49, type="hemangioma", several_share=0.3),
    "focal nodular hyperplasia": Kind(count=23 + 1, type="other benign", median_cm=3.5),
    "angioleiomyolipoma": Kind(count=16, type="other benign", median_cm=4),
    "adenoma": Kind(count=13, type="other benign", median_cm=4.5),
    "abscess": Kind(count=36 + 7 + 3, type="other benign", median_cm=5, several_share=0.3),
    "cyst": Kind(count=1097 + 36 + 16, type="cyst", median_cm=2.5, several_share=0.4),
    "neuroendocrine": Kind(count=24 + 18, type="other malignant", median_cm=2.5, several_share=0.6),
    NORMAL: Kind(count=3421, type=""),
    "dysplastic nodule": Kind(count=0, type="other benign", median_cm=1.8),  # not of Wang 2021: only where asked for
}
"""Every kind but HCC."""

TYPES = (HCC, "other malignant", "other benign", "hemangioma", "cyst")
"""Five types of lesion, as Yasaka 2018 (doi 10.1148/radiol.2017170706) parts them, but that all HCC are one (ours)."""

CLASSES: Mapping[str, tuple[str, ...]] = {
    "lesion_class": ("classic hcc", "other malignant", "indeterminate or rare benign", "hemangioma", "cyst"),
    "lesion_kind": ("cyst", "hemangioma", "focal nodular hyperplasia", HCC, CCA, "metastasis"),
    "lesion_group": (
        "cyst", "hemangioma", "focal nodular hyperplasia", "other benign", HCC, "metastasis", "other malignant",
    ),
    "malignancy": (HCC, "metastasis", "other malignant"),
    "lesion_malignant": ("benign", "malignant"),
    "lirads_group": ("LR-3", "LR-4/5"),
}  # fmt: skip
"""Classes of a lesion, by the column of lesions.csv: A to E of Yasaka 2018; six of Hamm 2019 (doi
10.1007/s00330-019-06205-9); seven, three and two of Zhen 2020 (doi 10.3389/fonc.2020.00680); two of Wu 2020 (Ann Transl
Med 8:701)."""


@dataclass(frozen=True, kw_only=True)
class Features:
    """Major features of LI-RADS v2018 (doi 10.1148/radiol.2018181494) but growth, as a lesion shows them."""

    hyperenhancing: bool
    washout: bool
    capsule: bool


@dataclass(frozen=True, kw_only=True)
class Lesion:
    """One lesion; `atypical` HCC lacks arterial enhancement, `gas` is in an abscess.

    `features` are given where they were drawn one by one. `vascularity` times its arterial enhancement is seen.
    `infiltration`, 0 to 1: how far the capsule is lost, the margin irregular and the liver round it hyperaemic.
    """

    kind: str
    diameter_cm: float
    atypical: bool = False
    gas: bool = False
    features: Features | None = None
    vascularity: float = 1.0
    infiltration: float = 0.0

    @property
    def radius(self) -> float:
        """Millimetres."""
        return 5 * self.diameter_cm

    @property
    def type(self) -> str:
        """One of TYPES."""
        return HCC if self.kind == HCC else KINDS[self.kind].type

    @property
    def lirads(self) -> str | None:
        """LR-3, LR-4 or LR-5, by the table of LI-RADS v2018; None where features were not drawn."""
        if self.features is None:
            return None
        further, size = self.features.washout + self.features.capsule, round(10 * self.diameter_cm, 1)
        if not self.features.hyperenhancing:
            category = 3 + (further >= (2 if size < 20 else 1))
        elif 10 <= size < 20:
            category = 5 if self.features.washout else 3 + self.features.capsule
        else:
            category = (3 if size < 10 else 4) + (further >= 1)
        return f"LR-{category}"

    @property
    def observed(self) -> dict[str, str | None]:
        """What LI-RADS reads of it, and its category, in the words of hepatica's scores; empty where not drawn."""
        if self.features is None:
            return {}
        seen = {
            "aphe": self.features.hyperenhancing,
            "washout": self.features.washout,
            "capsule": self.features.capsule,
        }
        unseen = {"threshold_growth": "no", "first_step": "nothing", "ancillary": "nothing"}
        return {name: "yes" if each else "no" for name, each in seen.items()} | unseen | {"lirads": self.lirads}

    @property
    def classes(self) -> dict[str, str | None]:
        """Its class in each of CLASSES, where it has one."""
        shown = self.kind if self.kind in CLASSES["lesion_group"] else self.type
        of_five = {HCC: "classic hcc", "other benign": "indeterminate or rare benign"}.get(self.type, self.type)
        found = {
            "lesion_class": "indeterminate or rare benign" if self.atypical else of_five,
            "lesion_kind": self.kind,
            "lesion_group": shown,
            "malignancy": shown,
            "lesion_malignant": "malignant" if shown in CLASSES["malignancy"] else "benign",
            "lirads_group": self.lirads and ("LR-3" if self.lirads == "LR-3" else "LR-4/5"),
        }
        return {name: each if each in CLASSES[name] else None for name, each in found.items()}

"""Quantities: what a table may have of a patient, in which units, and which values are possible.

A quantity has one meaning and some units that differ by a factor. A column of it is named after both, such as
`bilirubin_umol_l`, or is declared. What is measured in units without a common factor is two quantities: `dcp` in ng/mL
and `pivka_ii` in mAU/mL are the same protein by different assays.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

import numpy as np

from hepatica.cohort.errors import SettingsError

Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """One quantity; `units` has how many of the first unit one of each is, `levels` the names of a category in order.

    `possible`: the range of a value, in the first unit; another is an error. `typical`: that of a patient with liver
    disease, by which a value in another unit is recognised. Both are ours, from textbooks, but for the limits of
    platelets and enzymes (those of the FIB-4 model of gdl-lang/common-clinical-models). `refused`: units that are taken
    for those of this quantity, and why they are not.
    """

    meaning: str
    units: Mapping[str, float] = field(default_factory=dict)
    possible: tuple[float, float] = (0, inf)
    typical: tuple[float, float] = (0, inf)
    levels: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)

    def factor(self, unit: str) -> float:
        """How many of the first unit one of this unit is; SettingsError for a unit that this quantity does not have."""
        known = {unit_key(each): factor for each, factor in self.units.items()}
        if (found := known.get(unit_key(unit).removeprefix("log10_"))) is not None:
            return found
        reasons = {unit_key(each): reason for each, reason in self.refused.items()}
        reason = reasons.get(unit_key(unit), "they cannot be converted")
        raise SettingsError(f"got {unit!r} for {self.meaning}, wanted {', '.join(self.units) or 'no unit'}: {reason}")

    def convert(self, values: Array, *, unit: str, to: str) -> Array:
        """Values in another unit, to nine decimals, so that a value on a cut-off stays on it."""
        source, target = unit_key(unit), unit_key(to)
        if source == target:
            return values
        if source.startswith("log10_"):
            values = 10.0**values
        values = np.round(values * (self.factor(unit) / self.factor(to)), 9)
        return np.log10(values) if target.startswith("log10_") else values


def unit_key(unit: str) -> str:
    """A unit as it is written in the name of a column: `10e9_l` for 10^9/L or 10*9/l."""
    text = unit.strip().lower().translate(str.maketrans("µμ^*", "uuee")).replace("%", "percent")
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"^/", "per_", text)).strip("_")


def _flag(meaning: str) -> Quantity:
    return Quantity(meaning=meaning, levels=("no", "yes"))


_PROTEIN = {"g/L": 1.0, "g/dL": 10.0}
_ENZYME = {"U/L": 1.0, "IU/L": 1.0, "ukat/L": 60.0}
_ACTIVITY = "1 mAU is not 1 ng, and the factor depends on the assay; a column in mAU/mL is pivka_ii"
_MASS = "1 ng is not 1 mAU, and the factor depends on the assay; a column in ng/mL is dcp"

QUANTITIES: Mapping[str, Quantity] = {
    "age": Quantity(meaning="age", units={"years": 1}, possible=(0, 120), typical=(18, 100)),
    "sex": Quantity(meaning="sex", levels=("female", "male")),
    "aetiology": Quantity(
        meaning="cause of the liver disease; hcv_svr is cured, autoimmune includes PBC and PSC",
        levels=("none", "hbv", "hcv", "hcv_svr", "alcohol", "masld", "autoimmune", "other"),
    ),
    "cirrhosis": _flag("cirrhosis of the liver"),
    "platelets": Quantity(
        meaning="platelets",
        units={"10^9/L": 1, "10^3/µL": 1, "/µL": 1e-3, "10^4/µL": 10},
        possible=(1, 3200),
        typical=(20, 1000),
    ),
    "albumin": Quantity(meaning="albumin", units=_PROTEIN, possible=(5, 80), typical=(15, 60)),
    "bilirubin": Quantity(
        meaning="total bilirubin", units={"µmol/L": 1, "mg/dL": 17.104}, possible=(0.5, 1300), typical=(4, 110)
    ),
    "creatinine": Quantity(
        meaning="creatinine", units={"µmol/L": 1, "mg/dL": 88.42}, possible=(10, 2700), typical=(30, 900)
    ),
    "sodium": Quantity(meaning="sodium", units={"mmol/L": 1, "mEq/L": 1}, possible=(90, 200), typical=(110, 160)),
    "inr": Quantity(meaning="INR", possible=(0.3, 20), typical=(0.8, 5)),
    "alt": Quantity(meaning="ALT", units=_ENZYME, possible=(1, 10_000), typical=(5, 1000)),
    "ast": Quantity(meaning="AST", units=_ENZYME, possible=(1, 10_000), typical=(5, 1000)),
    "ast_uln": Quantity(meaning="upper limit of normal of AST", units=_ENZYME, possible=(15, 100), typical=(25, 60)),
    "afp": Quantity(
        meaning="alpha-fetoprotein", units={"ng/mL": 1, "µg/L": 1, "IU/mL": 1.21}, possible=(0, 1e8), typical=(1, 1e5)
    ),
    "afp_l3": Quantity(meaning="share of AFP-L3", units={"%": 1}, possible=(0, 100)),
    "dcp": Quantity(
        meaning="des-gamma-carboxyprothrombin", units={"ng/mL": 1}, possible=(0, 1e6), refused={"mAU/mL": _ACTIVITY}
    ),
    "pivka_ii": Quantity(meaning="PIVKA-II", units={"mAU/mL": 1}, possible=(0, 1e7), refused={"ng/mL": _MASS}),
    "hbv_dna": Quantity(
        meaning="HBV DNA", units={"copies/mL": 1, "IU/mL": 5.82}, possible=(0, 1e13), typical=(1, 1e12)
    ),
    "hbeag": _flag("HBeAg positive"),
    "core_promoter_mutation": _flag("basal core promoter mutation A1762T/G1764A of HBV"),
    "dialysis": _flag("dialysis twice, or 24 hours of CVVHD, within a week"),
    "ascites": Quantity(meaning="ascites", levels=("none", "mild", "moderate")),
    "encephalopathy": Quantity(meaning="encephalopathy, West Haven grade", possible=(0, 4)),
    "child_pugh": Quantity(meaning="Child-Pugh class", levels=("A", "B", "C")),
    "ecog": Quantity(meaning="ECOG performance status", possible=(0, 4)),
    "meld": Quantity(meaning="MELD", possible=(5, 75)),
    "portal_hypertension": _flag("oesophageal varices, or platelets < 100 10^9/L with a spleen > 12 cm"),
    "major_resection": _flag("resection of three or more adjacent segments"),
    "tumour_number": Quantity(meaning="number of tumours", possible=(0, 1000)),
    "tumour_size": Quantity(
        meaning="diameter of the largest tumour", units={"cm": 1, "mm": 0.1}, possible=(0, 40), typical=(0.5, 25)
    ),
    "tumour_sum": Quantity(
        meaning="sum of the diameters of all tumours", units={"cm": 1, "mm": 0.1}, possible=(0, 200), typical=(0.5, 60)
    ),
    "vascular_invasion": _flag("macrovascular invasion"),
    "extrahepatic_spread": _flag("spread outside the liver, lymph nodes included"),
    "any_vascular_invasion": _flag("vascular invasion, microscopic or macroscopic"),
    "major_branch_invasion": _flag("invasion of a major branch of the portal or a hepatic vein"),
    "adjacent_organ_invasion": _flag(
        "direct invasion of an organ other than the gallbladder, or perforation of the visceral peritoneum"
    ),
    "nodal_metastasis": _flag("metastasis in regional lymph nodes (N1)"),
    "distant_metastasis": _flag("distant metastasis (M1)"),
    "observation": Quantity(meaning="diameter of the observation", units={"mm": 1, "cm": 10}, possible=(0, 400)),
    "first_step": Quantity(
        meaning="what LI-RADS asks before the table",
        levels=("none", "not_categorizable", "tumour_in_vein", "benign", "probably_benign", "targetoid"),
    ),
    "aphe": _flag("nonrim arterial phase hyperenhancement"),
    "washout": _flag("nonperipheral washout"),
    "capsule": _flag("enhancing capsule"),
    "threshold_growth": _flag("growth of 50 % or more within 6 months"),
    "ancillary": Quantity(
        meaning="ancillary features, as the reader applies them", levels=("none", "malignancy", "benignity")
    ),
    "viable_baseline": Quantity(
        meaning="sum of viable diameters of target lesions before treatment", units={"mm": 1, "cm": 10}
    ),
    "viable_nadir": Quantity(meaning="smallest such sum since treatment began", units={"mm": 1, "cm": 10}),
    "viable_now": Quantity(meaning="such sum now", units={"mm": 1, "cm": 10}),
    "nontarget": Quantity(
        meaning="response of the other lesions",
        levels=("complete", "incomplete", "progression"),
    ),
    "new_lesion": _flag("a new lesion"),
}
"""Every quantity that a score reads."""

COLUMNS: Mapping[str, tuple[str, str]] = {
    "_".join(filter(None, (name, *map(unit_key, [unit])))): (name, unit)
    for name, quantity in QUANTITIES.items()
    for unit in (*quantity.units, *(f"log10 {each}" for each in quantity.units if name == "hbv_dna"))
} | {name: (name, "") for name, quantity in QUANTITIES.items() if not quantity.units}
"""The quantity and the unit of each name of a column that says both."""

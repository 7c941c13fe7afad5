"""Transplant: criteria of size, number and markers by which patients with HCC are listed for transplantation.

Secondary sources disagree on < and ≤; all limits are ≤ here, as in the AASLD guidance of 2023 (PMC10663390, table 3).
Each asks for neither macrovascular invasion nor spread outside the liver.
"""

import numpy as np

from hepatica.clinical.quantities import Array
from hepatica.clinical.score import Score, above, steps

_GUIDANCE = "AASLD 2023 guidance (PMC10663390), table 3"
_SCOPE = "HCC considered for transplantation"
_WITHIN = "1 within, 0 beyond"


def _within(rule: np.ndarray, number: Array, vascular_invasion: Array, extrahepatic_spread: Array) -> Array:
    """1 where the rule holds for a tumour that has not left the liver; NaN where there is no tumour."""
    confined = (vascular_invasion == 0) & (extrahepatic_spread == 0)
    return np.where(number >= 1, rule & confined, np.nan)


def milan(
    *, tumour_number: Array, tumour_size_cm: Array, vascular_invasion: Array, extrahepatic_spread: Array
) -> Array:
    """One tumour of up to 5 cm, or two or three of up to 3 cm each."""
    several = (tumour_number <= 3) & (tumour_size_cm <= 3)
    rule = ((tumour_number == 1) & (tumour_size_cm <= 5)) | several
    return _within(rule, tumour_number, vascular_invasion, extrahepatic_spread)


def ucsf(
    *,
    tumour_number: Array,
    tumour_size_cm: Array,
    tumour_sum_cm: Array,
    vascular_invasion: Array,
    extrahepatic_spread: Array,
) -> Array:
    """One tumour of up to 6.5 cm, or two or three of up to 4.5 cm each and 8 cm together."""
    several = (tumour_number <= 3) & (tumour_size_cm <= 4.5) & (tumour_sum_cm <= 8)
    rule = ((tumour_number == 1) & (tumour_size_cm <= 6.5)) | several
    return _within(rule, tumour_number, vascular_invasion, extrahepatic_spread)


def up_to_seven(
    *, tumour_number: Array, tumour_size_cm: Array, vascular_invasion: Array, extrahepatic_spread: Array
) -> Array:
    """Diameter of the largest tumour in cm and number of tumours up to 7 together.

    The original rule is of explants and excludes microvascular invasion too; before surgery that is not known.
    """
    rule = tumour_size_cm + tumour_number <= 7
    return _within(rule, tumour_number, vascular_invasion, extrahepatic_spread)


def kyoto(
    *,
    tumour_number: Array,
    tumour_size_cm: Array,
    pivka_ii_mau_ml: Array,
    vascular_invasion: Array,
    extrahepatic_spread: Array,
) -> Array:
    """Up to ten tumours of up to 5 cm each, and PIVKA-II up to 400 mAU/mL."""
    rule = (tumour_number <= 10) & (tumour_size_cm <= 5) & (pivka_ii_mau_ml <= 400)
    return _within(rule, tumour_number, vascular_invasion, extrahepatic_spread)


def moral(*, pivka_ii_mau_ml: Array, afp_ng_ml: Array) -> Array:
    """11 √PIVKA-II (mAU/mL) + 2 √AFP (ng/mL)."""
    return 11 * np.sqrt(pivka_ii_mau_ml) + 2 * np.sqrt(afp_ng_ml)


SCORES = (
    Score(
        name="milan",
        title="Milan criteria",
        scope=_SCOPE,
        formula=milan,
        unit=_WITHIN,
        paper="Mazzaferro 1996, N Engl J Med 334:693",
        doi="10.1056/NEJM199603143341104",
        evidence=_GUIDANCE,
    ),
    Score(
        name="ucsf",
        title="UCSF criteria",
        scope=_SCOPE,
        formula=ucsf,
        unit=_WITHIN,
        paper="Yao 2001, Hepatology 33:1394",
        doi="10.1053/jhep.2001.24563",
        evidence=_GUIDANCE,
    ),
    Score(
        name="up_to_seven",
        title="Up-to-seven criteria",
        scope=_SCOPE,
        formula=up_to_seven,
        unit=_WITHIN,
        paper="Mazzaferro 2009, Lancet Oncol 10:35",
        doi="10.1016/S1470-2045(08)70284-5",
        evidence=_GUIDANCE,
    ),
    Score(
        name="kyoto",
        title="Kyoto criteria",
        scope="HCC considered for transplantation from a living donor",
        formula=kyoto,
        unit=_WITHIN,
        paper="Ito 2007, Liver Transpl 13:1637",
        doi="10.1002/lt.21281",
        evidence="table 1 of PMC4641125",
    ),
    Score(
        name="moral",
        title="MoRAL: recurrence after living donor transplantation by two serum markers",
        scope="HCC considered for transplantation from a living donor",
        formula=moral,
        bands=steps("low", (above(314.8), "high")),
        paper="Lee 2016, Ann Surg 263:842",
        doi="10.1097/SLA.0000000000001578",
        evidence="abstract of a study of the score in ablation (MoRAL, 576 patients); cut-off: abstract of the paper",
    ),
)

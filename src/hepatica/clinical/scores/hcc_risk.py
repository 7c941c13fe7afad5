"""HCC risk: scores of who will develop HCC, among patients with chronic hepatitis B or with cirrhosis.

ADRESS-HCC (10.1002/cncr.28832) is not here: no public source has its coefficients.
"""

import math

import numpy as np

from hepatica.clinical.quantities import Array
from hepatica.clinical.score import Score, above, steps

_REVIEW = "table 2 of explorationpub 100546"

_REACH_B_RISKS = {
    3: (0, 0, 0, 0, 0, 0.1, 0.1, 0.2, 0.3, 0.5, 0.9, 1.4, 2.3, 3.7, 6.0, 9.6, 15.2, 23.6),
    5: (0, 0, 0, 0.1, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 3.3, 5.3, 8.5, 13.6, 21.3, 32.4, 47.4),
    10: (0, 0.1, 0.1, 0.2, 0.3, 0.5, 0.7, 1.2, 2.0, 3.2, 5.2, 8.4, 13.4, 21.0, 32.0, 46.8, 64.4, 81.6),
}
"""Risk of HCC in % within so many years, by the points 0 to 17."""


def _reach_b_risk(years: int, points: Array) -> Array:
    return np.array([*_REACH_B_RISKS[years], math.nan])[np.where(np.isnan(points), -1, points).astype(int)]


def amap(
    *, age_years: Array, sex: Array, bilirubin_umol_l: Array, albumin_g_l: Array, platelets_10e9_l: Array
) -> Array:
    """0 to 100: ((0.06 age + 0.89 male + 0.48 ALBI - 0.01 platelets) + 7.4) / 14.77 × 100, with the score of ALBI."""
    function = 0.66 * np.log10(bilirubin_umol_l) - 0.085 * albumin_g_l
    return (0.06 * age_years + 0.89 * sex + 0.48 * function - 0.01 * platelets_10e9_l + 7.4) / 14.77 * 100


def gag_hcc(
    *, age_years: Array, sex: Array, hbv_dna_copies_ml: Array, core_promoter_mutation: Array, cirrhosis: Array
) -> Array:
    """16 male + age + 3 log10 HBV DNA + 19 core promoter mutation + 30 cirrhosis; only with detectable DNA."""
    return 16 * sex + age_years + 3 * np.log10(hbv_dna_copies_ml) + 19 * core_promoter_mutation + 30 * cirrhosis


def gag_hcc_simplified(*, age_years: Array, sex: Array, hbv_dna_copies_ml: Array, cirrhosis: Array) -> Array:
    """14 male + age + 3 log10 HBV DNA + 33 cirrhosis; only with detectable DNA. unconfirmed: from memory."""
    return 14 * sex + age_years + 3 * np.log10(hbv_dna_copies_ml) + 33 * cirrhosis


def hcc_rescue(*, age_years: Array, sex: Array, cirrhosis: Array) -> Array:
    """Age + 15 male + 23 cirrhosis."""
    return age_years + 15 * sex + 23 * cirrhosis


SCORES = (
    Score(
        name="page_b",
        title="PAGE-B: platelets, age, gender in hepatitis B",
        scope="white patients with chronic hepatitis B on entecavir or tenofovir, aged 16 or older",
        points={
            "age_years": steps(math.nan, (16, 0), (30, 2), (40, 4), (50, 6), (60, 8), (70, 10)),
            "sex": {"female": 0, "male": 6},
            "platelets_10e9_l": steps(9, (100, 6), (200, 0)),
        },
        bands=steps("low", (10, "intermediate"), (18, "high")),
        paper="Papatheodoridis 2016, J Hepatol 64:800",
        doi="10.1016/j.jhep.2015.11.035",
        evidence=_REVIEW,
    ),
    Score(
        name="mpage_b",
        title="mPAGE-B: PAGE-B with albumin",
        scope="Asian patients with chronic hepatitis B on entecavir or tenofovir",
        points={
            "age_years": steps(0, (30, 3), (40, 5), (50, 7), (60, 9), (70, 11)),
            "sex": {"female": 0, "male": 2},
            "platelets_10e9_l": steps(5, (100, 4), (150, 3), (200, 2), (250, 0)),
            "albumin_g_l": steps(3, (30, 2), (35, 1), (40, 0)),
        },
        bands=steps("low", (9, "intermediate"), (13, "high")),
        paper="Kim 2018, J Hepatol 69:1066",
        doi="10.1016/j.jhep.2018.07.018",
        evidence=_REVIEW,
    ),
    Score(
        name="reach_b",
        title="REACH-B, with the risk of HCC in 3, 5 and 10 years",
        scope="untreated chronic hepatitis B without cirrhosis, aged 30 to 65",
        points={
            "sex": {"female": 0, "male": 2},
            "age_years": steps(math.nan, (30, 0), (35, 1), (40, 2), (45, 3), (50, 4), (55, 5), (60, 6), (66, math.nan)),
            "alt_u_l": steps(0, (15, 1), (45, 2)),
            "hbeag": {"no": 0, "yes": 2},
            "hbv_dna_copies_ml": steps(0, (1e4, 3), (1e5, 5), (1e6, 4)),
        },
        also={f"risk_{years}_years_percent": lambda each, y=years: _reach_b_risk(y, each) for years in _REACH_B_RISKS},
        paper="Yang 2011, Lancet Oncol 12:568",
        doi="10.1016/S1470-2045(11)70077-8",
        evidence=f"{_REVIEW}; risks: gdl-lang/common-clinical-models",
    ),
    Score(
        name="cu_hcc",
        title="CU-HCC of the Chinese University of Hong Kong",
        scope="chronic hepatitis B",
        points={
            "age_years": steps(0, (above(50), 3)),
            "albumin_g_l": steps(20, (above(35), 0)),
            "bilirubin_umol_l": steps(0, (above(18), 1.5)),
            "hbv_dna_copies_ml": steps(0, (above(1e4), 1), (above(1e6), 4)),
            "cirrhosis": {"no": 0, "yes": 15},
        },
        bands=steps("low", (5, "intermediate"), (above(20), "high")),
        paper="Wong 2010, J Clin Oncol 28:1660",
        doi="10.1200/JCO.2009.26.2675",
        evidence=_REVIEW,
    ),
    Score(
        name="gag_hcc",
        title="GAG-HCC: guide with age, gender, HBV DNA, core promoter mutation and cirrhosis",
        scope="untreated chronic hepatitis B",
        formula=gag_hcc,
        bands=steps("low", (above(101), "high")),
        paper="Yuen 2009, J Hepatol 50:80",
        doi="10.1016/j.jhep.2008.07.023",
        evidence="medicalalgorithms.com, GAG-HCC scores of Yuen et al",
    ),
    Score(
        name="gag_hcc_simplified",
        title="GAG-HCC without core promoter mutation",
        scope="untreated chronic hepatitis B",
        formula=gag_hcc_simplified,
        paper="Yuen 2009, J Hepatol 50:80",
        doi="10.1016/j.jhep.2008.07.023",
        evidence="unconfirmed",
    ),
    Score(
        name="hcc_rescue",
        title="HCC-RESCUE: risk estimating score under entecavir",
        scope="chronic hepatitis B on entecavir",
        formula=hcc_rescue,
        bands=steps("low", (65, "intermediate"), (85, "high")),
        paper="Sohn 2017, Clin Mol Hepatol 23:170",
        doi="10.3350/cmh.2016.0086",
        evidence="abstract of the paper; bands: abstract of 10.1111/jvh.13485",
    ),
    Score(
        name="amap",
        title="aMAP: age, male, ALBI, platelets",
        scope="chronic liver disease of any cause, viral hepatitis above all",
        formula=amap,
        bands=steps("low", (50, "intermediate"), (60, "high")),
        paper="Fan 2020, J Hepatol 73:1368",
        doi="10.1016/j.jhep.2020.07.025",
        evidence="cases of the CUHK calculator in m31-bio/CancerVerse",
    ),
    Score(
        name="thri",
        title="Toronto HCC risk index, for 10 years",
        scope="cirrhosis of any cause",
        points={
            "age_years": steps(0, (45, 50), (above(60), 100)),
            "aetiology": {
                "autoimmune": 0,
                "hcv_svr": 0,
                "other": 36,
                "alcohol": 54,
                "masld": 54,
                "hcv": 97,
                "hbv": 97,
            },
            "sex": {"female": 0, "male": 80},
            "platelets_10e9_l": steps(89, (80, 70), (140, 20), (above(200), 0)),
        },
        bands=steps("low", (120, "intermediate"), (above(240), "high")),
        paper="Sharma 2018, J Hepatol 68:92",
        doi="10.1016/j.jhep.2017.07.033",
        evidence="table 3 of the paper as transcribed in a public calculator (hcc-surveillance-v281)",
    ),
)

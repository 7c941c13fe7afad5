"""Population: whom a phantom hospital enrols, and every number that its patients are drawn from."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import ndtri

from hepatica.cohort.units import Months


@dataclass(frozen=True, kw_only=True)
class Population:
    """Whom a hospital enrols. What is not drawn from a source that a constant below names is ours.

    `columns` of patients.csv and endpoints that a cohort tells unless all are asked for; `further` are the endpoints
    that it then has, too. Log hazards are those of proportional-hazards models; aggressiveness is standard normal, so
    its log hazard is per standard deviation, and a correlation is one with it. "Hard" numbers hold at difficulty 1 and
    shrink in proportion to it.
    """

    name: str
    columns: tuple[str, ...]
    usual: tuple[str, ...]
    further: tuple[str, ...]

    # Persons, with HCC and without
    hcc_share: float = 1.0
    age_means: tuple[float, float] = (58.0, 58.0)
    age_sd: float = 9.0
    male_shares: tuple[float, float] = (0.75, 0.75)

    # The liver
    hbv_share: float = 1.0
    metavir_hcc: tuple[float, ...] = (0.12, 0.13, 0.15, 0.20, 0.40)  # F0 to F4
    metavir_control: tuple[float, ...] = (0.65, 0.17, 0.10, 0.05, 0.03)
    child_pugh: tuple[float, ...] = (0.75, 0.20, 0.05)  # A, B, C
    alt_median_u_l: float = 36.0

    # The tumour
    controls_have_lesions: bool = False
    control_kinds: tuple[tuple[str, float], ...] = ()  # of those lesions, and how often; none named: as in Wang 2021
    incidental_share: float = 0.0  # of patients with a lesion, in whom a small cyst or hemangioma lies beside
    large_share: float = 0.124  # of HCC above 5 cm
    size_log_sd: float = 0.45
    sizes_cm: tuple[float, float] = (1.0, 11.0)
    size_correlation: float = 0.35
    several_share: float = 0.25
    several_correlation: float = 0.1
    vascular_invasion_share: float = 0.2  # of a major vessel, up to 5 cm
    vascular_invasion_when_large: float = 2.0  # times as often
    mvi_share: float = 0.45  # microscopic, or of a major vessel
    vascular_invasion_correlation: float = 0.45
    afp_raised_share: float = 0.683  # above 20 ng/mL
    afp_correlation: float = 0.2
    spread_share: float = 0.05  # with nodes or metastases: stage IV
    grade_shares: tuple[float, ...] = (0.20, 0.45, 0.30, 0.05)  # G1 to G4
    grade_correlation: float = 0.4
    tp53_share: float = 0.30
    tp53_correlation: float = 0.3
    ctnnb1_share: float = 0.27
    ctnnb1_correlation: float = -0.2
    gas_share: float = 0.3  # abscesses that hold gas
    atypical_share_when_hard: float = 0.4  # HCC without arterial enhancement

    # What pictures of an HCC show besides, to a degree whose probit follows what the margin tells of
    margin: Literal["", "mvi", "aggressiveness"] = ""
    margin_distance: float = 2.6  # standard deviations between MVI and none, or for two of aggressiveness
    margin_lost_when_hard: float = 0.5
    vascularity_log_sd: float = 0.0  # of arterial enhancement, between patients
    feature_shares: tuple[tuple[float, float, float], ...] = ()  # of Features, with HCC and without
    outlined: bool = False  # whether each study comes with the outlines of all lesions

    # Treatment: sorafenib after a resection, given to the worse half more often; a transplant; embolisation, with
    # sorafenib or without; ablation; or by stage
    resected: bool = False
    transplanted: bool = False
    embolised: bool = False
    response_shares: tuple[float, ...] = (0.2, 0.35, 0.25)  # complete, partial and stable by mRECIST
    response_log_hazard: float = -0.4  # of progression, per standard deviation of what the response follows
    ablated: bool = False
    margin_median_mm: float = 3.4  # of the least ablative margin
    margin_log_sd: float = 0.6
    local_scale: Months = Months(500.0)  # of local progression, of a margin of 5 mm
    margin_log_hazard: float = -0.5  # of it, per mm
    sorafenib_share: float = 0.216
    sorafenib_bias_aggressiveness: float = 0.5  # log odds of treatment
    sorafenib_bias_vascular_invasion: float = 0.8
    sorafenib_log_hazard: float = 0.1  # at aggressiveness 0
    sorafenib_interaction: float = -0.6  # added for each unit of aggressiveness

    # Recurrence
    aggressiveness_log_hazard: float = 1.8
    vascular_invasion_log_hazard: float = 0.5
    mvi_log_hazard: float = 0.0
    log_size_log_hazard: float = 0.4
    recurrence_shape: float = 0.5
    recurrence_scale: Months = Months(80.0)
    corrupted_share_when_hard: float = 0.4

    # A first HCC of those without; death of other causes, or after the tumour has come
    incidence_scale: Months = Months(1500.0)
    metavir_log_hazard: float = 0.6
    age_log_hazard: float = 0.0  # of a first HCC, per standard deviation of age
    male_log_hazard: float = 0.0
    platelets_log_hazard: float = 0.0  # per halving
    albumin_log_hazard: float = 0.0  # per 10 g/L less
    afp_log_hazard: float = 0.0  # per tenfold AFP
    other_death_scale: Months = Months(300.0)
    after_recurrence_scale: Months = Months(40.0)
    aggressiveness_log_hazard_after_recurrence: float = 0.5
    shortest_follow_up: Months = Months(24.0)
    longest_follow_up: Months = Months(84.0)
    drop_out_scale: Months = Months(800.0)

    # Readers
    reader_correlation: float = 0.4  # how far the same patients are hard for all readers
    read_for: Literal["hcc", "malignant_mass"] = "hcc"
    assisted: bool = False  # whether pathologists read, without and with the answer of a model

    # Slides
    cut: tuple[str, ...] = ("hcc",)  # kinds of lesion of which slides are cut; "normal": of a liver without one
    varied: bool = False  # whether slides show mutations and necrosis, beyond how aggressive the tumour is

    @property
    def log_size_mean(self) -> float:
        """Of the natural logarithm of centimetres; sizes are recorded to a millimetre, so that 5.05 is above 5."""
        return float(np.log(5.05) + self.size_log_sd * ndtri(self.large_share))


RESECTED = Population(
    name="resected",
    columns=(
        "patient_id", "age_years", "sex", "hbsag", "alt_u_l", "afp_ng_ml", "tumour_size_cm", "bclc_stage",
        "vascular_invasion", "treatment", "recurrence_months", "recurrence_event", "overall_survival_months",
        "overall_survival_event",
    ),
    usual=("recurrence", "overall_survival"),
    further=("grade", "mvi", "tp53", "ctnnb1", "fibrosis", "stiffness"),
    age_means=(50.9, 50.9), age_sd=10.5, male_shares=(0.847, 0.847), hbv_share=0.915, child_pugh=(0.95, 0.05, 0.0),
    large_share=0.301, size_log_sd=0.65, sizes_cm=(0.8, 25.0), several_share=0.582, vascular_invasion_share=0.38,
    vascular_invasion_when_large=1.0, spread_share=0.0, resected=True,
)  # fmt: skip
"""HCC after resection. Shares follow Table 1 of doi 10.1186/s12916-025-03977-4 (366 patients, 79 with sorafenib);
recurrence is published there at 39 % after one year, 42 % after two, 49 % at the end."""

SUSPECTED = Population(
    name="suspected",
    columns=(
        "patient_id", "age_years", "sex", "hcc", "kind", "tumour_size_cm", "tumour_number", "tnm_stage",
        "vascular_invasion", "metavir", "grade",
    ),
    usual=("hcc",),
    further=("lesion_type", "overall_survival", "response", "fibrosis", "stiffness"),
    hcc_share=0.5, age_means=(57.4, 54.2), age_sd=11.5, male_shares=(0.787, 0.540), hbv_share=0.6,
    controls_have_lesions=True, large_share=0.455,
)  # fmt: skip
"""Livers with HCC, with any other lesion, or with none. Age and sex are those of the training set in Table 1 of Wang
2021 (doi 10.1038/s41416-021-01511-w)."""

_CIRRHOSIS = (0.0, 0.0, 0.0, 0.0, 1.0)

CIRRHOSIS = Population(
    name="cirrhosis",
    columns=("patient_id", "age_years", "sex", "hcc", "child_pugh"),
    usual=("hcc",),
    further=("overall_survival", "response", "stiffness"),
    hcc_share=17 / 37, metavir_hcc=_CIRRHOSIS, metavir_control=_CIRRHOSIS,
)  # fmt: skip
"""Cirrhosis by hepatitis B, without and with HCC: 17 of 37 have it (Bae 2025, doi 10.2463/mrms.mp.2025-0064)."""

SCANNED_CIRRHOSIS = replace(
    CIRRHOSIS, name="scanned_cirrhosis", further=(), outlined=True, hcc_share=0.5, large_share=0.15,
    sizes_cm=(1.0, 9.0), several_share=0.3, atypical_share_when_hard=0.2,
)  # fmt: skip
"""Cirrhosis without and with HCC, which is outlined, as on ultrasound in Brehar 2020 (doi 10.3390/s20113085)."""

SURVEILLANCE = Population(
    name="surveillance",
    columns=(
        "patient_id", "age_years", "sex", "aetiology", "metavir", "stiffness_kpa", "afp_ng_ml", "alt_u_l",
        "platelets_10e9_l", "albumin_g_l", "bilirubin_umol_l", "incidence_months", "incidence_event",
        "overall_survival_months", "overall_survival_event",
    ),
    usual=("incidence", "overall_survival"),
    further=("fibrosis", "stiffness"),
    hcc_share=0.0, hbv_share=0.5, metavir_control=(0.2, 0.2, 0.2, 0.2, 0.2), longest_follow_up=Months(120.0),
)  # fmt: skip
"""Chronic liver disease without HCC at the start, some of whom get one."""

SCREENED = Population(
    name="screened",
    columns=(
        "patient_id", "age_years", "sex", "hcc", "hcc_vs_healthy", "hcc_vs_cirrhosis", "tp53", "ctnnb1",
        "overall_survival_months", "overall_survival_event",
    ),
    usual=("hcc", "hcc_vs_healthy", "hcc_vs_cirrhosis", "overall_survival"),
    further=(),
    hcc_share=0.6, metavir_hcc=(0.0, 0.0, 0.0, 0.2, 0.8), metavir_control=(0.5, 0.0, 0.0, 0.0, 0.5),
)  # fmt: skip
"""HCC, cirrhosis without HCC, and healthy livers, as studies of molecular tests enrol them (ours)."""

LIVER_STATES = replace(
    SCANNED_CIRRHOSIS, name="liver_states", columns=("patient_id", "age_years", "sex", "liver_state"),
    usual=("liver_state",), further=("fibrosis",), hcc_share=0.25,
    metavir_control=(1 / 3, 1 / 9, 1 / 9, 1 / 9, 1 / 3),
)  # fmt: skip
"""Normal livers, chronic liver disease, cirrhosis and HCC in it, a quarter each, as on ultrasound in Bharti 2018 (doi
10.1177/0161734618787447). Numbers are ours."""

HEPATITIS_B = replace(
    SURVEILLANCE, name="hepatitis_b", hbv_share=1.0, incidence_scale=Months(900.0), shortest_follow_up=Months(36.0),
)  # fmt: skip
"""Chronic hepatitis B without HCC at the start, as in Jin 2021 (doi 10.1007/s00330-021-07803-2). Numbers are ours."""

TREATED_HEPATITIS_B = Population(
    name="treated_hepatitis_b",
    columns=(
        "patient_id", "age_years", "sex", "aetiology", "cirrhosis", "hbeag", "hbv_dna_log10_copies_ml", "ascites",
        "afp_ng_ml", "alt_u_l", "ast_u_l", "platelets_10e9_l", "albumin_g_l", "bilirubin_umol_l", "inr",
        "creatinine_umol_l", "incidence_months", "incidence_event", "overall_survival_months", "overall_survival_event",
    ),
    usual=("incidence", "overall_survival"),
    further=("stiffness",),
    hcc_share=0.0, metavir_control=_CIRRHOSIS, age_means=(52.0, 52.0), male_shares=(0.62, 0.62),
    incidence_scale=Months(5000.0), age_log_hazard=0.5, male_log_hazard=0.6, platelets_log_hazard=0.6,
    albumin_log_hazard=0.6, afp_log_hazard=2.0, longest_follow_up=Months(120.0),
)  # fmt: skip
"""Cirrhosis by hepatitis B on entecavir, as in Nam 2020 (doi 10.1016/j.jhepr.2020.100175): a fifth has HCC in five
years. The log hazards are ours; PAGE-B, mPAGE-B and THRI read all of these values but AFP."""

TRANSPLANTED = Population(
    name="transplanted",
    columns=(
        "patient_id", "age_years", "sex", "aetiology", "child_pugh", "inr", "afp_ng_ml", "pivka_ii_mau_ml",
        "tumour_size_cm", "tumour_number", "tumour_sum_cm", "vascular_invasion", "extrahepatic_spread",
        "recurrence_months", "recurrence_event", "overall_survival_months", "overall_survival_event",
    ),
    usual=("recurrence", "overall_survival"),
    further=("grade", "mvi", "tp53", "ctnnb1"),
    age_means=(54.0, 54.0), male_shares=(0.83, 0.83), hbv_share=0.8, metavir_hcc=_CIRRHOSIS,
    child_pugh=(0.4, 0.35, 0.25), large_share=0.12, size_log_sd=0.55, several_share=0.4, vascular_invasion_share=0.03,
    spread_share=0.0, afp_raised_share=0.55, transplanted=True, recurrence_scale=Months(1500.0), recurrence_shape=0.8,
)  # fmt: skip
"""HCC treated by liver transplantation, as in Nam 2020 (doi 10.3390/cancers12102791): most within the Milan criteria, a
fifth with recurrence. Numbers are ours."""

WATCHED_CIRRHOSIS = replace(
    SURVEILLANCE, name="watched_cirrhosis", further=("stiffness",), hbv_share=0.0, metavir_control=_CIRRHOSIS,
)  # fmt: skip
"""Cirrhosis of other causes than hepatitis B, without HCC at the start: all have the same hazard, so that only their
courses tell who will get one."""

SEQUENCED = replace(
    RESECTED, name="sequenced", columns=(*RESECTED.columns, "differentiation", "tp53", "ctnnb1", "genomic_cluster"),
    usual=("grade", "tp53", "ctnnb1", "overall_survival"), further=("recurrence", "mvi", "fibrosis", "stiffness"),
    grade_shares=(0.3, 0.4, 0.25, 0.05), grade_correlation=0.95, tp53_share=0.4, ctnnb1_share=0.35, varied=True,
)  # fmt: skip
"""HCC after resection whose grade shows in what also makes it aggressive, and whose mutations show, as in TCGA-LIHC.
Numbers are ours."""

BIOPSIED = replace(
    SUSPECTED, name="biopsied", columns=("patient_id", "age_years", "sex", "malignant"), usual=("malignant",),
    further=(), controls_have_lesions=False, cut=("hcc", "normal"), varied=True,
)  # fmt: skip
"""Tissue of HCC, and of livers without tumour."""

PRIMARY_CANCER = replace(
    SUSPECTED, name="primary_cancer", columns=("patient_id", "age_years", "sex", "hcc", "tumour_type"),
    usual=("tumour_type", "hcc"), further=("overall_survival",), control_kinds=(("cholangiocarcinoma", 1.0),),
    cut=("hcc", "cholangiocarcinoma"), varied=True, assisted=True,
)  # fmt: skip
"""HCC and cholangiocarcinoma, as Kiani 2020 (doi 10.1038/s41746-020-0232-8) has them: half each."""

_OUTLINED = replace(
    SUSPECTED, outlined=True, further=(), controls_have_lesions=True, large_share=0.2, sizes_cm=(1.0, 9.0),
    vascular_invasion_share=0.0,
)  # fmt: skip
_RARE = (("adenoma", 4.0), ("angioleiomyolipoma", 4.0), ("abscess", 4.0))

FOCAL_LESIONS = replace(
    _OUTLINED, name="focal_lesions",
    usual=("lesion_class", "lesion_type", "lesion_group", "lesion_malignant", "malignancy", "malignant_mass"),
    read_for="malignant_mass",
    columns=(
        "patient_id", "age_years", "sex", "hbsag", "metavir", "prior_cancer", "afp_ng_ml", "alt_u_l", "ast_u_l",
        "bilirubin_umol_l", "albumin_g_l", "platelets_10e9_l", "lesion_class", "lesion_type", "lesion_group",
        "lesion_malignant", "malignancy", "malignant_mass",
    ),
    hcc_share=0.25, incidental_share=0.3,
    control_kinds=(
        ("metastasis", 8.0), ("cholangiocarcinoma", 6.0), ("sarcoma", 1.0), ("neuroendocrine", 2.0),
        ("hemangioma", 17.0), ("cyst", 15.0), ("focal nodular hyperplasia", 10.0), ("dysplastic nodule", 7.0), *_RARE,
    ),
)  # fmt: skip
"""Every kind of focal lesion, outlined; about the classes of Yasaka 2018 (doi 10.1148/radiol.2017170706), whose test
set has 21, 9, 35, 20 and 15 of 100. Numbers are ours."""

TYPICAL_LESIONS = replace(
    _OUTLINED, name="typical_lesions", usual=("lesion_kind",),
    columns=("patient_id", "age_years", "sex", "lesion_kind"), hcc_share=1 / 6, atypical_share_when_hard=0.0,
    control_kinds=tuple(
        (name, 1.0)
        for name in ("cyst", "hemangioma", "focal nodular hyperplasia", "cholangiocarcinoma", "metastasis")
    ),
)  # fmt: skip
"""The six kinds of Hamm 2019 (doi 10.1007/s00330-019-06205-9), typical and equally often."""

AT_RISK = replace(
    _OUTLINED, name="at_risk", usual=("lirads_group",), columns=("patient_id", "age_years", "sex", "lirads_group"),
    hcc_share=0.6, metavir_hcc=_CIRRHOSIS, metavir_control=_CIRRHOSIS, atypical_share_when_hard=0.0, several_share=0.0,
    control_kinds=(("dysplastic nodule", 1.0),), large_share=0.01, feature_shares=((0.9, 0.7, 0.5), (0.3, 0.1, 0.1)),
)  # fmt: skip
"""One observation of a cirrhotic liver each, of LR-3, LR-4 or LR-5, as Wu 2020 (Ann Transl Med 8:701) has 35, 14 and 40
of. Features are drawn and shown one by one; shares are ours."""

MVI = replace(
    RESECTED, name="mvi", usual=("mvi", "recurrence_free_survival"),
    further=("grade", "recurrence", "overall_survival"),
    columns=(
        "patient_id", "age_years", "sex", "hbsag", "alt_u_l", "ast_u_l", "albumin_g_l", "bilirubin_umol_l",
        "platelets_10e9_l", "afp_ng_ml", "tumour_size_cm", "tumour_number", "mvi", "recurrence_free_survival_months",
        "recurrence_free_survival_event",
    ),
    outlined=True, margin="mvi", mvi_share=0.5, mvi_log_hazard=1.0, aggressiveness_log_hazard=0.4, several_share=0.1,
    vascular_invasion_share=0.0, large_share=0.4, sizes_cm=(1.5, 9.0), corrupted_share_when_hard=0.0,
    recurrence_scale=Months(150.0), sorafenib_share=0.01,
)  # fmt: skip
"""Resected HCC without invasion of a major vessel, 220 of 405 with microvascular invasion in Jiang 2021 (doi
10.1007/s00432-020-03366-9), which shows at the margin. Numbers are ours."""

TACE = replace(
    SUSPECTED, name="tace", usual=("response_class", "response", "overall_survival"), further=("recurrence",),
    columns=(
        "patient_id", "age_years", "sex", "hbsag", "child_pugh", "ecog", "afp_ng_ml", "albumin_g_l", "bilirubin_umol_l",
        "tumour_size_cm", "tumour_number", "tumour_sum_cm", "bclc_stage", "sorafenib", "response", "response_class",
        "viable_baseline_mm", "viable_nadir_mm", "viable_now_mm", "nontarget", "new_lesion", "overall_survival_months",
        "overall_survival_event",
    ),
    outlined=True, embolised=True, margin="aggressiveness", vascularity_log_sd=0.35, hcc_share=1.0,
    large_share=0.45, sizes_cm=(1.5, 11.0), several_share=0.45, vascular_invasion_share=0.1, spread_share=0.0,
    sorafenib_share=0.4, sorafenib_log_hazard=-0.3, sorafenib_interaction=0.0, corrupted_share_when_hard=0.0,
    aggressiveness_log_hazard=0.8, recurrence_shape=1.0, recurrence_scale=Months(12.0),
    after_recurrence_scale=Months(20.0),
)  # fmt: skip
"""HCC before embolisation, with the response by mRECIST after it, as in Peng 2020 (doi 10.1007/s00330-019-06318-1), and
survival. Response follows arterial enhancement, size and aggressiveness, all of which show. Numbers are ours."""

ABLATED = replace(
    SUSPECTED, name="ablated", usual=("ablative_margin", "local_progression"), further=("overall_survival",),
    columns=(
        "patient_id", "age_years", "sex", "hbsag", "child_pugh", "afp_ng_ml", "tumour_size_cm", "ablative_margin_mm",
        "local_progression_months", "local_progression_event", "overall_survival_months", "overall_survival_event",
    ),
    outlined=True, ablated=True, hcc_share=1.0, large_share=0.02, size_log_sd=0.35, sizes_cm=(1.0, 5.0),
    several_share=0.0, vascular_invasion_share=0.0, spread_share=0.0,
)  # fmt: skip
"""One HCC of up to 5 cm each, before and after ablation, as in An 2020 (doi 10.3389/fonc.2020.573316), whose least
margin is 3.4 mm on average (0 to 16), with 19 of 141 progressing locally. Other numbers are ours."""

POPULATIONS = {
    each.name: each
    for each in (
        RESECTED,
        SUSPECTED,
        CIRRHOSIS,
        SCANNED_CIRRHOSIS,
        LIVER_STATES,
        HEPATITIS_B,
        SURVEILLANCE,
        WATCHED_CIRRHOSIS,
        SCREENED,
        TREATED_HEPATITIS_B,
        TRANSPLANTED,
        SEQUENCED,
        BIOPSIED,
        PRIMARY_CANCER,
        FOCAL_LESIONS,
        TYPICAL_LESIONS,
        AT_RISK,
        MVI,
        TACE,
        ABLATED,
    )
}
"""By name."""

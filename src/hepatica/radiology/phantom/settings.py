"""Settings: every number a phantom cohort of CT studies is made from."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PhantomSettings:
    """What a phantom cohort is made from.

    Age and sex are those of the training set in Table 1 of Wang 2021 (doi 10.1038/s41416-021-01511-w); the rest is
    ours. "Hard" numbers hold at difficulty 1 and shrink in proportion to it.
    """

    # Patients
    hcc_share: float = 0.5
    hcc_age_mean: float = 57.4
    hcc_male_share: float = 0.787
    control_age_mean: float = 54.2
    control_male_share: float = 0.540
    age_sd: float = 11.5
    vascular_invasion_share: float = 0.2  # of HCC to 5 cm; twice that above
    spread_share: float = 0.05  # HCC with nodes or metastases: stage IV
    metavir_hcc: tuple[float, ...] = (0.12, 0.13, 0.15, 0.20, 0.40)  # F0 to F4
    metavir_control: tuple[float, ...] = (0.65, 0.17, 0.10, 0.05, 0.03)
    grade_shares: tuple[float, ...] = (0.20, 0.45, 0.30, 0.05)  # G1 to G4
    gas_share: float = 0.3  # abscesses that hold gas
    expert_share: float = 0.8  # of patients with and without HCC whose nodules experts outlined, rounded up
    reader_correlation: float = 0.4  # how far the same patients are hard for all readers

    # Pictures
    matrix: int = 256
    slices: int = 32
    thickness_mm: float = 5.0  # slices touch
    field_of_view_mm: float = 400.0
    contrast_lost_when_hard: float = 0.6  # of lesion against liver
    atypical_share_when_hard: float = 0.4  # HCC without arterial enhancement
    noise_added_when_hard: float = 1.0  # of the hospital's own noise


STANDARD = PhantomSettings()
"""The phantom of the demo, the docs and the tests."""

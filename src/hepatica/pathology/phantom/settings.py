"""Settings: every number a phantom cohort of slides is made from."""

from dataclasses import dataclass

from hepatica.cohort.units import Microns, MicronsPerPixel, Months, SlidePixels


@dataclass(frozen=True, kw_only=True)
class PhantomSettings:
    """What a phantom cohort is made from; shares follow Table 1 of doi 10.1186/s12916-025-03977-4, the rest is ours.

    Log hazards are those of proportional-hazards models; aggressiveness is standard normal, so its log hazard is per
    standard deviation. "Hard" numbers hold at difficulty 1 and shrink in proportion to it; an effect loses
    `effect_lost_when_hard` of its size at difficulty 1.
    """

    # Clinical covariates: 366 patients
    age_mean: float = 50.9  # 48 % are 50 or younger
    age_sd: float = 10.5
    male_share: float = 0.847
    hbsag_share: float = 0.915
    afp_raised_share: float = 0.683  # above 20 ng/mL
    large_tumour_share: float = 0.301  # above 5 cm
    vascular_invasion_share: float = 0.38
    stage_b_share: float = 0.582
    alt_median_u_l: float = 36.0
    size_correlation: float = 0.35  # with aggressiveness, as are the next three
    vascular_invasion_correlation: float = 0.45
    afp_correlation: float = 0.2
    stage_correlation: float = 0.1

    # Sorafenib: 79 of 366, given to the worse half more often
    sorafenib_share: float = 0.216
    sorafenib_bias_aggressiveness: float = 0.5  # log odds of treatment
    sorafenib_bias_vascular_invasion: float = 0.8
    sorafenib_log_hazard: float = 0.1  # at aggressiveness 0
    sorafenib_interaction: float = -0.6  # added for each unit of aggressiveness

    # Recurrence: published at 39 % after one year, 42 % after two, 49 % at the end
    aggressiveness_log_hazard: float = 1.8
    vascular_invasion_log_hazard: float = 0.5
    log_size_log_hazard: float = 0.4
    recurrence_shape: float = 0.5
    recurrence_scale: Months = Months(80.0)
    corrupted_share_when_hard: float = 0.4

    # Overall survival: death of other causes, or after the tumour has come back
    other_death_scale: Months = Months(300.0)
    after_recurrence_scale: Months = Months(40.0)
    aggressiveness_log_hazard_after_recurrence: float = 0.5
    shortest_follow_up: Months = Months(24.0)
    longest_follow_up: Months = Months(84.0)
    drop_out_scale: Months = Months(800.0)

    # Pictures
    images: int = 2
    side: SlidePixels = SlidePixels(1024)
    mpp: MicronsPerPixel = MicronsPerPixel(0.5)
    nucleus_mild: Microns = Microns(6.8)
    nucleus_aggressive: Microns = Microns(11.2)
    lymphocytes_mild: float = 1800.0  # per mm2 of tissue
    lymphocytes_aggressive: float = 120.0
    effect_lost_when_hard: float = 0.6
    image_variation_when_hard: float = 0.6  # share of what an image shows that is not the patient's aggressiveness


STANDARD = PhantomSettings()
"""The phantom of the demo, the docs and the tests."""

"""Settings: every number of the study, those of the system and those of what it is compared with."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from hepatica.cohort import RATIOS, Months, SettingsError
from hepatica.systems.li_2025_cnn_sasm import SYSTEM, Settings

Name = Literal[
    "ResNet18", "DenseNet121", "Swin-Transformer",
    "CNN-SASM", "CNN-SelfAttn", "CNN-SelfAttn-Attn", "CNN-CSA", "CNN-SSA",
]  # fmt: skip
"""Networks of Table 2, in its order."""

OURS: Name = "CNN-SASM"
"""The network the paper proposes."""

TWO_YEARS = Months(24)
"""The paper's least follow-up."""

NARROW: dict[str, Any] = {"channels": [16, 32, 64, 128], "stem_width": 16}
"""A ResNet18 of a quarter of its width; timm's own words.

No narrower: on a CPU, torch 2.15 writes beyond its memory in a strided 1 x 1 convolution of 8 channels-last channels.
"""


@dataclass(frozen=True, kw_only=True)
class StudySettings(Settings):
    """Settings of CNN-SASM, of its cross-validation and of the networks it is compared with.

    A `shape` changes timm's architecture of that name, as `body_shape` does. `least_follow_up` is that of the external
    cohorts: patients followed event-free for less are predicted, not reported. `undersample` reads no more tiles of an
    external slide than the median training slide has, for whole slides have hundreds of times more tissue.
    `generalisation` is judged on all held-out training patients, or as in the paper on external patients, which then
    help to choose what is validated on them.
    """

    folds: Annotated[int, Field(ge=2)] = 5
    ratios: tuple[Fraction, ...] = RATIOS
    candidates: tuple[Name, ...] = get_args(Name)
    densenet: str = "densenet121.tv_in1k"
    densenet_weights: str = "imagenet"
    densenet_shape: Mapping[str, Any] = field(default_factory=dict)
    swin: str = "swin_base_patch4_window7_224.ms_in1k"
    swin_weights: str = "imagenet"
    swin_shape: Mapping[str, Any] = field(default_factory=dict)
    indicators: tuple[str, ...] = (
        "hbsag", "alt_u_l", "afp_ng_ml", "tumour_size_cm", "bclc_stage", "vascular_invasion",
    )  # fmt: skip
    least_follow_up: Annotated[Months, Field(gt=0)] = TWO_YEARS
    undersample: bool = True
    generalisation: Literal["held_out", "external"] = "held_out"  # ours; "external" is the paper's

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.ratios or not all(0 < ratio <= 1 for ratio in self.ratios):
            listed = ", ".join(map(str, self.ratios)) or "none"
            raise SettingsError(f"ratios: got {listed}, wanted one or more above 0 and up to 1, such as 1/2")
        for name, given in (("ratios", self.ratios), ("candidates", self.candidates)):
            if len(set(given)) < len(given):
                raise SettingsError(f"{name}: got {', '.join(map(str, given))}, wanted each once")
        if OURS not in self.candidates:
            raise SettingsError(f"candidates must include {OURS}, which chooses the subset; got {self.candidates}")

    def of_system(self, *, ratio: Fraction) -> Settings:
        """What the system itself is trained with, on the denoised subset of this ratio."""
        return replace(Settings(**{each.name: getattr(self, each.name) for each in fields(Settings)}), ratio=ratio)


QUICK = StudySettings(
    **{each.name: getattr(SYSTEM.quick, each.name) for each in fields(Settings)}
    | {"side": 96, "mpp": 1.33, "tiles_per_specimen": 3, "body_shape": NARROW}
    | {"warm_epochs": 4, "epochs": 2, "learning_rate": 1e-3, "folds": 3}
    | {"densenet_weights": "random", "densenet_shape": {"growth_rate": 8, "block_config": [2, 2, 4, 4]}}
    | {
        "swin_weights": "random",
        "swin_shape": {
            "img_size": 96, "window_size": 3, "embed_dim": 24, "depths": [1, 1, 2, 1], "num_heads": [1, 2, 4, 8],
        },
    }
)  # fmt: skip
"""Minutes on two cores, on phantoms: three folds, small tiles, and all eight networks at a fraction of their size."""

"""Backbone: the convolutional body a paper borrows (ResNet, MobileNet, VGG …), from timm, without its head; AlexNet."""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import torch
from einops import rearrange
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from hepatica.cohort.errors import SettingsError, UnavailableError
from hepatica.networks.heads import Reading

PICKLES = {".bin", ".ckpt", ".pkl", ".pickle", ".pt", ".pth"}
"""Weight files that run code when they are opened."""

HUB_PATIENCE_SECONDS = 5.0
"""How long the weights' server may take to answer before it counts as absent (ours)."""


def backbone(
    name: str, *, weights: str = "random", channels: int = 3, shape: Mapping[str, Any] = MappingProxyType({})
) -> nn.Module:
    """Build a timm network that ends in its last feature map: (b, channels, h, w) -> (b, features, h / s, w / s).

    `name` is timm's: "resnet18.tv_in1k" is torchvision's ResNet-18, with s = 32 and 512 features (the body's own
    `num_features`). `shape` holds timm's own arguments of that architecture, such as {"img_size": 64} for a Swin or
    {"channels": (16, 32, 64, 128)} for a narrow ResNet. `weights` is one of
    - "random": drawn from torch's generator, so `torch.manual_seed` before the call fixes them;
    - "imagenet": the pretrained weights of that name, from the local cache or else from timm's hub;
    - "hub:OWNER/NAME": those of another repository of the hub, likewise;
    - a path to a .safetensors file; a classification head in it is left out.

    Raises SettingsError for an unknown name, a shape that this architecture does not take, a weight file that does not
    fit or one that could run code, and UnavailableError where the pretrained weights cannot be had.
    """
    _require_known(name)
    shape = {**shape, "in_chans": channels}
    if weights == "imagenet":
        body = _body(name, shape, pretrained=True, pretrained_cfg_overlay={"file": str(_from_hub(name))})
    else:
        body = _body(name, shape)
    if weights not in ("random", "imagenet"):
        repository = weights.removeprefix("hub:")
        _load(body, Path(weights) if repository == weights else _from_repository(repository, name))
    return ChannelsFirst(body) if getattr(body, "output_fmt", "NCHW") == "NHWC" else body


class ChannelsFirst(nn.Module):
    """A body that ends in (b, h, w, features) maps, as timm's Swin does, made to end in (b, features, h, w)."""

    def __init__(self, body: Any) -> None:
        super().__init__()
        self.body = body
        self.num_features: int = body.num_features

    def forward(self, images: Tensor) -> Tensor:
        """Map a batch."""
        maps: Tensor = rearrange(self.body(images), "b h w c -> b c h w")
        return maps


@cache
def _known() -> tuple[str, ...]:
    # Timm takes a second to import, which commands that build no backbone need not pay.
    import timm

    return (*timm.list_models(), *timm.list_pretrained())


def _require_known(name: str) -> None:
    known = _known()
    if name not in known:
        near = ", ".join(get_close_matches(name, known, n=4)) or "resnet18.tv_in1k, mobilenetv2_100.ra_in1k"
        raise SettingsError(f"no backbone is called {name!r}; timm has, for instance, {near}.")


def _body(name: str, shape: Mapping[str, Any], **pretrained: Any) -> nn.Module:
    import timm

    # An empty pooling leaves the feature map: the papers pool, or attend, in their own way.
    try:
        body: nn.Module = timm.create_model(name, num_classes=0, global_pool="", **shape, **pretrained)
    except TypeError as error:
        raise SettingsError(f"{name} does not take this shape: {error}; see timm for its arguments.") from error
    return body


def _from_hub(name: str) -> Path:
    """Find the pretrained weights in the local cache or fetch them."""
    import timm

    settings = timm.get_pretrained_cfg(name)
    if settings is None or settings.hf_hub_id is None:
        raise UnavailableError(f"timm has no pretrained weights for {name!r}. {_alternatives()}")
    return _from_repository(settings.hf_hub_id, name)


def _from_repository(repository: str, name: str) -> Path:
    import huggingface_hub

    cached = huggingface_hub.try_to_load_from_cache(repository, "model.safetensors")
    if isinstance(cached, str):
        return Path(cached)
    _ask_hub(name)
    try:
        return Path(huggingface_hub.hf_hub_download(repository, "model.safetensors"))
    except OSError as error:
        raise UnavailableError(
            f"the weights of {name!r} could not be fetched from {repository}: {error}. Where the owner grants access,"
            f" ask for it and set HF_TOKEN. {_alternatives()}"
        ) from error


def _ask_hub(name: str) -> None:
    """Fail at once where there is no network: the hub's own client tries for 45 seconds and prints every try."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise UnavailableError(
            f"the weights of {name!r} are not on this machine, and --offline or HF_HUB_OFFLINE forbids to ask for them."
            f" {_alternatives()}"
        )
    try:
        urlopen(Request(constants.ENDPOINT, method="HEAD"), timeout=HUB_PATIENCE_SECONDS).close()
    except HTTPError:
        return  # an answer, even a refusal, means that the network is there
    except (URLError, TimeoutError, ConnectionError) as error:
        message = f"the weights of {name!r} are not on this machine and {constants.ENDPOINT} cannot be reached."
        raise UnavailableError(f"{message} {_alternatives()}") from error


def _alternatives() -> str:
    return (
        "Use --weights random, or bring the file and use --weights FILE.safetensors"
        " (hepatica study: --set weights=random), in a new --run folder."
    )


def _load(body: nn.Module, file: Path) -> None:
    found = read_weights(file)
    head = f"{body.pretrained_cfg.get('classifier')}."  # type: ignore[operator, union-attr]
    found = {key: tensor for key, tensor in found.items() if not key.startswith(head)}
    wanted = body.state_dict()
    faults = [_fault(key, wanted.get(key), found.get(key)) for key in sorted(wanted.keys() | found.keys())]
    faults = [fault for fault in faults if fault]
    if faults:
        more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise SettingsError(f"{file.name} does not fit this backbone: {'; '.join(faults[:3])}{more}.")
    body.load_state_dict(found)


def _fault(key: str, wanted: Tensor | None, found: Tensor | None) -> str:
    if wanted is None:
        return f"{key} is not in the network"
    if found is None:
        return f"{key} is not in the file"
    if wanted.shape != found.shape:
        return f"{key} is {tuple(found.shape)} in the file, {tuple(wanted.shape)} in the network"
    return ""


def read_weights(file: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file by name; SettingsError for another file."""
    if file.suffix.lower() in PICKLES:
        raise SettingsError(
            f"{file.name} is a pickle, which can run any code when it is opened; "
            "convert it to .safetensors where you trust it, or take the .safetensors file of the same weights."
        )
    if file.suffix.lower() != ".safetensors" or not file.is_file():
        raise SettingsError(f"weights must be 'random', 'imagenet' or a .safetensors file that exists, not {file}.")
    try:
        return load_file(file)
    except SafetensorError as error:
        raise SettingsError(f"{file.name} cannot be read as safetensors ({error}); fetch it again.") from error


def widened(body: nn.Module) -> nn.Module:
    """The body, in place, with a fourth input channel: weights of the colours stay, those of the new one are their mean
    (ours).
    """
    name, first = next((name, part) for name, part in body.named_modules() if isinstance(part, nn.Conv2d))
    like: dict[str, Any] = {each: getattr(first, each) for each in ("kernel_size", "stride", "padding")}
    wide = nn.Conv2d(4, first.out_channels, bias=False, **like)
    wide.weight = nn.Parameter(torch.cat([first.weight, first.weight.mean(dim=1, keepdim=True)], dim=1))
    body.set_submodule(name, wide)
    return body


LAST = "classifier.6."
"""The layer that a transfer replaces."""


class AlexNet(nn.Module):
    """(b, 3, h, w) to logits (b, outputs), and the last hidden layer; parameters are named as torchvision's.

    Krizhevsky 2014 (arXiv 1404.5997). `width` scales every layer but the first and the last. Sides of 63 pixels or
    more.
    """

    def __init__(self, outputs: int, *, width: float = 1.0, dropout: float = 0.5) -> None:
        super().__init__()
        a, b, c, d, hidden = (max(1, round(width * each)) for each in (64, 192, 384, 256, 4096))
        self.features = nn.Sequential(
            nn.Conv2d(3, a, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(a, b, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(b, c, 3, padding=1), nn.ReLU(), nn.Conv2d(c, d, 3, padding=1), nn.ReLU(),
            nn.Conv2d(d, d, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
        )  # fmt: skip
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(6), nn.Flatten())
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(36 * d, hidden), nn.ReLU(),
            nn.Dropout(dropout), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, outputs),
        )  # fmt: skip

    def forward(self, images: Tensor) -> Reading:
        """Classify a batch."""
        signature = self.classifier[:-1](self.pool(self.features(images)))
        return Reading(self.classifier[-1](signature), signature)

    def load(self, weights: Path) -> None:
        """Take torchvision's weights, but for the last layer, from a .safetensors file; SettingsError where they do not
        fit.
        """
        found = {name: each for name, each in read_weights(weights).items() if not name.startswith(LAST)}
        own = {name: each for name, each in self.state_dict().items() if not name.startswith(LAST)}
        if {name: each.shape for name, each in found.items()} != {name: each.shape for name, each in own.items()}:
            raise SettingsError(f"{weights.name} does not hold torchvision's AlexNet of this width; wanted its weights")
        with torch.no_grad():
            self.load_state_dict(found, strict=False)

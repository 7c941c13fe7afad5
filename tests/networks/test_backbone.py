import socket
from pathlib import Path

import huggingface_hub
import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save_file
from torch import nn

from hepatica.cohort.errors import SettingsError, UnavailableError
from hepatica.networks import Pooled, backbone


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed_port = free.getsockname()[1]
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{closed_port}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *_: pytest.fail("the slow client was asked"))


def test_resnet18_is_torchvisions_without_pooling_and_head() -> None:
    # torchvision's ResNet-18 has 11,689,512 parameters; its head is 512 x 1000 + 1000 = 513,000.
    body = backbone("resnet18.tv_in1k")
    assert parameters(body) == 11_689_512 - 513_000 == 11_176_512
    assert body(torch.zeros(1, 3, 224, 224)).shape == (1, 512, 7, 7)


def test_one_channel_needs_a_third_of_the_first_kernel() -> None:
    # 64 kernels of 7 x 7 for each channel
    assert parameters(backbone("resnet18.tv_in1k", channels=1)) == 11_176_512 - 2 * 64 * 49


SWIN = "swin_base_patch4_window7_224"
SMALL_SWIN = {"img_size": 64, "window_size": 2, "embed_dim": 24, "depths": (1, 1, 2, 1), "num_heads": (1, 2, 4, 8)}


def test_shape_narrows_a_body() -> None:
    body = backbone("resnet18.tv_in1k", shape={"channels": (16, 32, 64, 128)})
    assert body.num_features == 128
    assert body(torch.zeros(1, 3, 64, 64)).shape == (1, 128, 2, 2)


def test_maps_that_end_in_their_features_are_turned_round() -> None:
    torch.manual_seed(0)
    body, images = backbone(SWIN, shape=SMALL_SWIN).eval(), torch.rand(2, 3, 64, 64)
    assert body(images).shape == (2, body.num_features, 2, 2)
    torch.testing.assert_close(body(images)[:, :, 0, 1], body.body(images)[:, 0, 1, :])


def test_a_shape_that_the_architecture_lacks_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"does not take this shape: .*'colour'"):
        backbone("resnet18.tv_in1k", shape={"colour": 1})


@pytest.mark.parametrize(
    ("name", "used", "mib", "unused_classifier"),
    [
        ("densenet121.tv_in1k", 6_955_906, 26.53, 0),
        ("resnet18.tv_in1k", 11_177_538, 44.60, 512 * 1000 + 1000),
        (SWIN, 86_745_274, 334.82, 1024 * 1000 + 1000),
    ],
)
def test_baselines_have_the_sizes_of_table_2(name: str, used: int, mib: float, unused_classifier: int) -> None:
    """Li et al. 2025, Table 2 (M = MiB): ResNet18 and Swin count the ImageNet classifier beside their own."""
    with torch.device("meta"):
        body = backbone(name)
        network = Pooled(body, channels=body.num_features)
    assert parameters(network) == used
    assert round((used + unused_classifier) * 4 / 2**20, 2) == mib


def test_random_weights_follow_torchs_seed() -> None:
    weights = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        weights.append(backbone("resnet18.tv_in1k").state_dict()["layer4.1.conv2.weight"])
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_file_gives_its_weights_and_its_head_is_left_out(tmp_path: Path) -> None:
    taught = backbone("resnet18.tv_in1k")
    file = tmp_path / "taught.safetensors"
    save_file(taught.state_dict() | {"fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}, file)
    loaded = backbone("resnet18.tv_in1k", weights=str(file)).state_dict()
    assert all(torch.equal(loaded[key], tensor) for key, tensor in taught.state_dict().items())


def test_a_file_of_another_network_names_the_first_keys_that_differ(tmp_path: Path) -> None:
    state = backbone("resnet18.tv_in1k").state_dict()
    del state["bn1.bias"]
    state["conv1.weight"] = torch.zeros(64, 1, 7, 7)
    state["stranger"] = torch.zeros(1)
    save_file(state, tmp_path / "other.safetensors")
    with pytest.raises(SettingsError, match=r"bn1\.bias is not in the file; conv1\.weight is \(64, 1, 7, 7\)"):
        backbone("resnet18.tv_in1k", weights=str(tmp_path / "other.safetensors"))


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".PKL"])
def test_pickles_are_refused_unopened(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(SettingsError, match="can run any code"):
        backbone("resnet18.tv_in1k", weights=str(tmp_path / f"absent{suffix}"))


def test_a_file_that_is_absent_or_damaged_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="that exists"):
        backbone("resnet18.tv_in1k", weights="nowhere.safetensors")
    (tmp_path / "half.safetensors").write_bytes(b"\x08")
    with pytest.raises(SettingsError, match="fetch it again"):
        backbone("resnet18.tv_in1k", weights=str(tmp_path / "half.safetensors"))


@pytest.mark.parametrize("name", ["resnet19", "resnet18.tv_in2k"])
def test_an_unknown_name_offers_near_ones(name: str) -> None:
    with pytest.raises(SettingsError, match=r"for instance, .*resnet18"):
        backbone(name)


@pytest.mark.usefixtures("no_network")
def test_imagenet_without_a_network_names_the_alternatives() -> None:
    with pytest.raises(UnavailableError, match=r"--weights random.*--weights FILE\.safetensors"):
        backbone("resnet18.tv_in1k", weights="imagenet")


def test_imagenet_from_the_cache_needs_no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    taught = backbone("resnet18.tv_in1k")
    file = tmp_path / "model.safetensors"
    save_file(taught.state_dict() | {"fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}, file)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: str(file))
    loaded = backbone("resnet18.tv_in1k", weights="imagenet").state_dict()
    assert torch.equal(loaded["conv1.weight"], taught.state_dict()["conv1.weight"])

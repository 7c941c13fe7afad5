"""Export: the networks of a locked run as ONNX files, and their use in place of the networks themselves."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from hepatica.cohort import RunError, SettingsError, Split, UnavailableError, load_cohort
from hepatica.cohort.atomic import read_json, write_json
from hepatica.cohort.digests import file_digest
from hepatica.cohort.remote import bring_all
from hepatica.learn import Arrays, infer
from hepatica.learn.samples import Pixels
from hepatica.runs.folder import RunFolder, read_settings
from hepatica.runs.inputs import files_of
from hepatica.runs.lock import LockedRun, open_run

SAMPLE = 256
"""Images of training patients on which ranges are measured and answers compared (ours)."""

DRIFT = 0.05
"""Most by which logits of the same file may differ from one machine to another (ours); rounding differs by 1e-5."""

_BATCH = 16
_PROBES = 4
_PACKAGES = ("hepatica", "torch", "onnx", "onnxruntime")


def training_images(run: Path, cohort_folder: Path) -> Pixels:
    """Up to SAMPLE images (n, h, w, c) uint8, evenly spread over all of the training patients, as the run reads them.

    What the run has prepared already is not prepared again. RunError when the cohort is not the one it was trained on,
    or when the split was not handed on with the model.
    """
    locked = open_run(run)
    cohort = load_cohort(cohort_folder)
    if read_settings(locked.folder)["cohort"]["digest"] != cohort.digest:
        raise RunError(f"{run} was not trained on cohort {cohort.name} as it is now; name the cohort it was trained on")
    if not locked.folder.split.is_file():
        raise RunError(f"{locked.folder.split} is missing, so the training patients are unknown; export where it is")
    train = set(Split.read(locked.folder.split).train)
    cohort = cohort.select(train)
    bring_all(files_of(locked.system, cohort))
    material = locked.system.prepare(cohort, locked.settings, locked.folder.prepared)
    rows = np.linspace(0, len(material) - 1, min(SAMPLE, len(material))).astype(np.int64)
    images = material.read(rows)
    if isinstance(images, dict) or images.ndim != 4:
        raise SettingsError(f"{locked.system.name} reads no images; only networks of images can be exported")
    return images  # type: ignore[no-any-return]


def export(run: Path, *, calibration: Pixels, int8: bool = False) -> Path:
    """Write RUN/onnx with one file for each of the system's parts, in float32 or whole numbers; returns the folder.

    `calibration` are images (n, h, w, c) uint8 of training patients; none of them is stored. `export.json`, written
    last, tells the model (digest of model.json), the versions, and of each part: its file and digest, the largest
    difference of its logits from PyTorch's on those images, how many calls at even odds change, and what it answers to
    noise, by which another machine finds out that it computes otherwise.

    Raises SettingsError for a system without parts to export, and UnavailableError where ONNX is not installed.
    """
    locked = open_run(run)
    folder = _folder(locked.folder)
    parts = {name: _written(part, folder / name, calibration, int8=int8) for name, part in _parts(locked).items()}
    record = {
        "model": locked.digest,
        "precision": "int8" if int8 else "float32",
        "versions": {name: version(name) for name in _PACKAGES},
        "images": len(calibration),
        "parts": parts,
    }
    write_json(folder / "export.json", record)
    for left in set(folder.glob("*.onnx")) - {folder / part["file"] for part in parts.values()}:
        left.unlink()
    locked.folder.log("exported", precision=record["precision"], images=len(calibration))
    return folder


def exported(locked: LockedRun) -> nn.Module | None:
    """The locked network with its exported parts in place of its own; None where nothing was exported.

    The network of `locked` itself stays as it is, for explanations need its layers. Raises RunError when the files are
    of another model, were altered, or answer otherwise on this machine.
    """
    folder = _folder(locked.folder)
    if not (folder / "export.json").exists():
        return None
    record = read_json(folder / "export.json")
    if record["model"] != locked.digest:
        raise RunError(f"{folder} was exported from another model than the one locked now; export again, or remove it")
    parts = _parts(locked)
    # Copying uses these in place of the parts.
    instead = {id(parts[name]): _opened(folder, part) for name, part in record["parts"].items()}
    return copy.deepcopy(locked.network, instead)


def export_precision(locked: LockedRun) -> str:
    """What the exported parts of a run compute in: float32 or int8."""
    return str(read_json(_folder(locked.folder) / "export.json")["precision"])


def _folder(run: RunFolder) -> Path:
    return run.path / "onnx"


def _parts(locked: LockedRun) -> dict[str, nn.Module]:
    if locked.system.parts is None:
        raise SettingsError(f"{locked.system.name} has no network that can be exported; predict with it as it is")
    return dict(locked.system.parts(locked.network).items())


def _written(part: nn.Module, stem: Path, images: Pixels, *, int8: bool) -> dict[str, Any]:
    with _extra():
        from hepatica.learn.onnx_export import OnnxNetwork, export_onnx, quantise

        plain, whole = stem.with_suffix(".onnx"), stem.with_name(f"{stem.name}_int8.onnx")
        export_onnx(part, path=plain, example=images)
    if int8:
        quantise(plain, to=whole, calibration=images)
    path = whole if int8 else plain
    copied = OnnxNetwork(path)
    here, there = _logits(part, images), _logits(copied, images)
    return {
        "file": path.name,
        "sha256": file_digest(path),
        "largest_logit_difference": float(np.abs(there - here).max()),
        "calls_changed": int((_calls(there) != _calls(here)).sum()),
        "probe": {"shape": images.shape[1:], "logits": _logits(copied, _noise(images.shape[1:])).tolist()},
    }


def _opened(folder: Path, part: dict[str, Any]) -> nn.Module:
    with _extra():
        from hepatica.learn.onnx_export import OnnxNetwork

    path = folder / part["file"]
    if not path.is_file() or file_digest(path) != part["sha256"]:
        raise RunError(f"{path} is missing or was changed after the export; export again, or remove {folder}")
    network = OnnxNetwork(path)
    drift = np.abs(_logits(network, _noise(part["probe"]["shape"])) - part["probe"]["logits"]).max()
    if drift > DRIFT:
        raise RunError(
            f"{path} gives logits {drift:.3g} off those at the export, wanted at most {DRIFT}: this"
            f" processor computes differently; export again here and compare, or remove {folder}"
        )
    return network


def _logits(network: nn.Module, images: Pixels) -> np.ndarray:
    found: np.ndarray = infer(
        network,
        Arrays(values=images),
        batch=_BATCH,
        label="comparing",
        outputs=lambda answer: getattr(answer, "logits", answer),
    )
    return found


def _calls(logits: np.ndarray) -> np.ndarray:
    """Classes of logits (n, k) at even odds; of one logit, whether it is above 0."""
    return np.asarray(logits[:, 0] > 0 if logits.shape[1] == 1 else logits.argmax(1))


def _noise(shape: tuple[int, ...]) -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (_PROBES, *shape), dtype=np.uint8)


@contextmanager
def _extra() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise UnavailableError(f"{error.name} is not installed; pip install 'hepatica[deploy]'") from None

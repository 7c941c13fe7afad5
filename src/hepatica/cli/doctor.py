"""Doctor: whether this machine has what hepatica needs, and how to install the rest."""

import typer

PACKAGES = {
    "every room": "torch torchvision timm lightning einops numpy pandas openpyxl pyarrow pydantic safetensors sklearn"
    " scipy lifelines statsmodels numba matplotlib jinja2 httpx huggingface_hub typer rich",
    "pathology": "openslide pyvips tifffile skimage h5py PIL",
    "radiology": "pydicom openjpeg gdcm imagecodecs highdicom nibabel SimpleITK skimage",
    "spectroscopy": "nifti_mrs spec2nii nibabel pydicom h5py",
    "deploy": "onnx onnxruntime onnxscript",
}
"""Modules by the room, or the extra, that needs them; tables and genes need those of every room."""


def doctor() -> None:
    """Check the packages of each room, processor, GPU and free disk space; the exit code is 1 if one is missing."""
    import shutil
    import sys
    from importlib import import_module

    from rich.console import Console

    console = Console()
    missing = 0
    for room, names in PACKAGES.items():
        for name in names.split():
            try:
                module = import_module(name)
                console.print(f"[green]ok[/]   {room}: {name} {getattr(module, '__version__', '')}")
            except (ImportError, OSError, RuntimeError) as error:
                missing += 1
                extra = "hepatica" if room == "every room" else f"hepatica[{room}]"
                console.print(f"[red]miss[/] {room}: {name}: {error}; pip install {extra!r}", markup=True)
    if "torch" in sys.modules:
        import torch

        gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none, training uses the processor"
        console.print(f"[green]ok[/]   GPU: {gpu}; processor threads: {torch.get_num_threads()}")
    free = shutil.disk_usage(".").free / 2**30
    console.print(f"{'[green]ok[/]  ' if free > 10 else '[yellow]low[/] '} free disk here: {free:.0f} GiB")
    if missing:
        raise typer.Exit(1)

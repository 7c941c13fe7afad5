"""Doctor: whether this machine has what hepatica needs, and how to install the rest."""

import typer

PACKAGES = {
    "torch": "all training",
    "timm": "networks",
    "lightning": "training loop",
    "openslide": "pathology: slides",
    "pyvips": "pathology: fast reading of tiled TIFF",
    "tifffile": "pathology: plain TIFF",
    "skimage": "pathology: tissue",
    "pydicom": "radiology: DICOM",
    "openjpeg": "radiology: JPEG 2000",
    "gdcm": "radiology: other compressed DICOM",
    "imagecodecs": "radiology: compressed DICOM on all cores",
    "highdicom": "radiology: results in DICOM",
    "onnxruntime": "deploy: fast prediction on a processor",
    "nibabel": "radiology: NIfTI",
    "lifelines": "survival statistics",
    "statsmodels": "statistics",
    "numba": "statistics: fast C-index",
    "pyarrow": "tables",
    "safetensors": "weights",
    "jinja2": "report",
    "httpx": "fetch: public cohorts",
}
"""Module and what it is needed for."""


def doctor() -> None:
    """Check packages, processor, GPU and free disk space; the exit code is 1 if a package is missing."""
    import shutil
    import sys
    from importlib import import_module

    from rich.console import Console

    console = Console()
    missing = 0
    for name, use in PACKAGES.items():
        try:
            module = import_module(name)
            console.print(f"[green]ok[/]   {name} {getattr(module, '__version__', '')} ({use})")
        except (ImportError, OSError) as error:
            missing += 1
            console.print(f"[red]miss[/] {name} ({use}): {error}; pip install 'hepatica[all]'")
    if "torch" in sys.modules:
        import torch

        gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none, training uses the processor"
        console.print(f"[green]ok[/]   GPU: {gpu}; processor threads: {torch.get_num_threads()}")
    free = shutil.disk_usage(".").free / 2**30
    console.print(f"{'[green]ok[/]  ' if free > 10 else '[yellow]low[/] '} free disk here: {free:.0f} GiB")
    if missing:
        raise typer.Exit(1)

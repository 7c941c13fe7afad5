"""Peers: an environment of its own for each library that a benchmark compares with."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".venv" / "bin" / "uv"


def environment(name: str, *requirements: str) -> Path:
    """Return the Python of `benchmarks/.venv/NAME`, installed on first use and again when the requirements change."""
    folder = ROOT / "benchmarks" / ".venv" / name
    python, stamp = folder / "bin" / "python", folder / "installed-from"
    wanted = "\n".join([sys.version, *requirements])
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"installing {' '.join(requirements)} into {folder.relative_to(ROOT)}", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    subprocess.run([UV, "pip", "install", "--quiet", "--python", python, *requirements], check=True)
    stamp.write_text(wanted)
    return python

"""Size of papers: lines and files that each paper takes, by part: system, network, study, tests, docs.

python benchmarks/size_of_papers.py
"""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAPERS = {
    "Li 2025": ("li_2025", "cnn_sasm"),
    "Wang 2021": ("wang_2021",),
    "Bae 2025": ("bae_2025",),
}
"""What marks a path as a paper's own, by paper."""

PARTS = {
    "system": "src/hepatica/systems/",
    "network": "src/hepatica/networks/",
    "study": "src/hepatica/studies/",
    "report": "src/hepatica/report/",
    "tests": "tests/",
    "docs": "docs/",
}
"""Parts by the folder they lie in; `report` counts chapters that still carry a paper's name."""


def main() -> None:
    """Print a row a paper and part, the sums, and the whole source."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [path for path in listed.splitlines() if path.endswith((".py", ".md"))]
    lines = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in paths}
    for paper, marks in PAPERS.items():
        own = [path for path in paths if any(mark in path for mark in marks)]
        for part, folder in PARTS.items():
            found = [path for path in own if path.startswith(folder)]
            print(f"{paper:10} {part:8} {sum(lines[path] for path in found):6} lines {len(found):4} files")
        print(f"{paper:10} {'all':8} {sum(lines[path] for path in own):6} lines {len(own):4} files")
    source = [path for path in paths if path.startswith("src/") and path.endswith(".py")]
    print(f"source     all      {sum(lines[path] for path in source):6} lines {len(source):4} files")


if __name__ == "__main__":
    main()

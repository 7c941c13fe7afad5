"""Readme: its Python is executed, with settings for seconds, and every link of the documentation resolves."""

import re
import shutil
from pathlib import Path

import pytest

from hepatica.protocol import System, override

ROOT = Path(__file__).parents[2]


def test_its_python_runs(trained, sketches: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The training is that of the fixture, which a run folder of the same cohort and settings is not given again."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"<!-- tested: tests/docs/test_readme.py -->\n```python\n(.*?)```", text, re.DOTALL)
    shutil.copytree(trained.cohort, tmp_path / "my_hospital")
    shutil.copytree(trained.other, tmp_path / "other_hospital")
    shutil.copytree(trained.run, tmp_path / "my_run", ignore=shutil.ignore_patterns("external", "report.html"))
    (tmp_path / "new_slide.tiff").symlink_to(next((trained.other / "slides").glob("*.tif*")))
    seconds = property(lambda system: override(system.settings, system._changes("trial") | system._changes("shortest")))
    monkeypatch.setattr(System, "quick", seconds)
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {})
    assert (tmp_path / "my_run" / "report.html").exists()
    assert (tmp_path / "my_run" / "external" / "other_hospital" / "metrics.json").exists()


@pytest.mark.parametrize(
    "page", sorted(each.relative_to(ROOT) for each in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
)
def test_links_resolve(page: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    missing = [
        link for link in links if link and "://" not in link and not (ROOT / page).parent.joinpath(link).exists()
    ]
    assert missing == []

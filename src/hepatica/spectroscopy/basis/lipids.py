"""Lipids: resonances of triglycerides as lines, in two presets."""

import tomllib
from functools import cache
from importlib.resources import files

from hepatica.spectroscopy.basis.spin_system import Line, SpinSystem

HAMILTON = "Hamilton 2011 (doi 10.1002/nbm.1622) for protons, LCModel liver-1.inc for widths"


@cache
def lipids() -> dict[str, SpinSystem]:
    """Lipid resonances by name: those of `targets.LIPIDS5` and `targets.LCM5`; 1 mM of each is 1 mM of triglyceride."""
    text = files("hepatica.spectroscopy.basis").joinpath("lipids.toml").read_text(encoding="utf-8")
    return {
        name: SpinSystem(name=name, source=HAMILTON, lines=tuple(Line(**line) for line in table["lines"]))
        for name, table in tomllib.loads(text).items()
    }

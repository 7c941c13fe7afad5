"""Inputs: the specimens of a case, as `runs.predict` read them."""

from pathlib import Path

from hepatica.cohort.specimens import Specimen
from hepatica.runs.inputs import read_inputs
from hepatica.serve.arrangement import arranged


def specimens(inputs: Path, *, run: Path, modality: str, into: Path) -> tuple[Specimen, ...]:
    """Those of a modality in what was submitted; what has to be unpacked or arranged for it is put into `into`."""
    given = arranged(inputs, run=run, into=into / "arranged")
    return read_inputs(given, modality=modality, into=into / "studies").specimens_of(modality)

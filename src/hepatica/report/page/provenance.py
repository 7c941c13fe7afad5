"""Provenance: what was run, with which settings and versions, and how the system file departs from its paper."""

import inspect
import sys
from dataclasses import fields
from typing import Any

from hepatica.protocol import as_plain
from hepatica.report.page.blocks import Block, Quotation, Section, Table
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run
from hepatica.report.page.wording import NONE, about

MOST_VALUES = 40
"""Values of a setting that are all printed; of more, such as thousands of genes, the first. Ours."""


def section(run: Run, gallery: Gallery) -> Section:
    """Settings beside those of the paper, training facts, cut-offs, digests and versions."""
    versions = [[name, str(version)] for name, version in run.settings["versions"].items()]
    blocks: list[Block] = [
        _settings(run),
        _facts(run),
        Table(caption="Versions it was trained with.", header=["Software", "Version"], rows=versions),
        Quotation(
            caption="The system file's own description, with its departures from the paper.", text=system_notes(run)
        ),
    ]
    return Section(anchor="provenance", title="Settings, versions and digests", blocks=blocks)


def system_notes(run: Run) -> str:
    """The docstring of the file that defines the system: idea, departures from the paper, what that leaves open."""
    return inspect.cleandoc(sys.modules[type(run.system.settings).__module__].__doc__ or "")


def system_title(run: Run) -> str:
    """The common name of the system: CNN-SASM."""
    return system_notes(run).split(":")[0]


def changed_settings(run: Run) -> dict[str, tuple[Any, Any]]:
    """Settings of this run that are not the system's own: name to (here, system's)."""
    own = as_plain(run.system.settings)
    here = run.settings["settings"]
    return {name: (here.get(name), own.get(name)) for name in own | here if here.get(name) != own.get(name)}


def _settings(run: Run) -> Table:
    own, here = as_plain(run.system.settings), run.settings["settings"]
    changed = changed_settings(run)
    names = [field.name for field in fields(run.system.settings)]  # as_plain leaves out those without a value
    rows = [
        [name.replace("_", " "), _value(here.get(name)), _value(own.get(name)), "changed" if name in changed else ""]
        for name in names
    ]
    return Table(
        caption=f"Settings of this run beside those of {run.system.name} ({len(changed)} changed).",
        header=["Setting", "This run", "System's own", ""],
        rows=rows,
        note="The system's own settings are the paper's where it gives them; those it leaves open are marked as ours in"
        " the system file.",
    )


def _value(value: Any) -> str:
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        shown = value if len(value) <= MOST_VALUES else [*value[:5], f"… ({len(value):,} in all)"]
        return ", ".join(map(_value, shown))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _facts(run: Run) -> Table:
    facts = [["Parameters", f"{run.model['parameters']:,}"]]
    recorded = {name: value for name, value in run.model["training"].items() if not isinstance(value, dict)}
    facts += [[f"{name[:1].upper()}{name[1:]}", _value(value)] for name, value in recorded.items()]
    targets = {target.key: about(target) for target in run.targets}
    facts += [
        [f"Cut-off, {targets.get(key, key)}", f"{cutoff:.4f} ({run.cutoff_rule})"]
        for key, cutoff in run.cutoffs.items()
    ]
    facts += [["Digest of the model (SHA-256 of model.json)", run.digest]]
    facts += [[f"SHA-256 of {name}", digest] for name, digest in run.model["sha256"].items()]
    facts += [[f"SHA-256 of the tables of {each.cohort['name']}", each.cohort["digest"]] for each in run.cohorts]
    return Table(caption="The locked model.", header=["Fact", "Value"], rows=facts)

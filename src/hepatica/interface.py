"""Interface: the package for people who write Python; the commands of the same names do the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from hepatica.cohort import Cohort, MicronsPerPixel, Months, RunError, read_predictions
from hepatica.cohort.atomic import read_json
from hepatica.cohort.seal import unaltered

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = ["metric", "target", "value", "low", "high", "n", "method"]
"""Columns of a table of metrics."""


@dataclass(frozen=True)
class Results:
    """What a locked model gave for one cohort, in `folder`; `folds` are the patients that are reported."""

    folder: Path
    folds: tuple[str, ...] = ("external",)

    @property
    def metrics(self) -> pd.DataFrame:
        """metric, target, value, its 95 % limits low and high, n (patients) and method; calls at the locked cut-off.

        The column `fold` says of whom where there are several.
        """
        found = pd.DataFrame(read_json(unaltered(self.folder / "metrics.json")), columns=["fold", "cutoff", *COLUMNS])
        found = found[found["fold"].isin(self.folds)].drop_duplicates(["fold", "target", "metric"], keep="last")
        several = ["fold"] if found["fold"].nunique() > 1 else []
        return found[[*several, *COLUMNS]].reset_index(drop=True)

    @property
    def predictions(self) -> pd.DataFrame:
        """The predictions table."""
        return read_predictions(unaltered(self.folder / "predictions.parquet"))

    def __repr__(self) -> str:
        return f"Results in {self.folder}\n{self.metrics[COLUMNS[:6]].to_string(index=False)}"

    def _repr_html_(self) -> str:
        return str(self.metrics[COLUMNS[:6]].to_html(index=False))


@dataclass(frozen=True)
class Prediction:
    """Scores of new patients: `table` is a predictions table, `folder` has the pictures."""

    folder: Path
    table: pd.DataFrame = field(repr=False)

    def plot(self) -> "Figure":
        """The pictures that were drawn, below each other; RunError where there are none."""
        from matplotlib.figure import Figure
        from matplotlib.image import imread

        pictures = [imread(path) for path in sorted(self.folder.glob("specimen_*.png"))]
        if not pictures:
            raise RunError(f"{self.folder} has no pictures; predict with pictures=1 or more")
        heights = [picture.shape[0] / picture.shape[1] for picture in pictures]
        figure = Figure(figsize=(8, 8 * sum(heights)), layout="constrained")
        panels = figure.subplots(len(pictures), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axes, picture in zip(panels, pictures, strict=True):
            axes.imshow(picture)
            axes.set_axis_off()
        return figure

    def _repr_html_(self) -> str:
        columns = ["patient_id", "endpoint", "horizon_months", "class_or_quantity", "score", "group"]
        return str(self.table[[*columns, "applicability", "reason"]].to_html(index=False))


@dataclass(frozen=True)
class Run:
    """A locked run in the folder `path`."""

    path: Path

    @cached_property
    def _head(self) -> dict[str, Any]:
        from hepatica.runs import RunFolder, read_settings

        return read_settings(RunFolder(self.path))

    @property
    def system(self) -> str:
        """Name of the system."""
        return str(self._head["system"])

    @property
    def metrics(self) -> pd.DataFrame:
        """Of the test patients that were set apart before training; see `Results.metrics`."""
        return Results(self.path, folds=("test",)).metrics

    @property
    def predictions(self) -> pd.DataFrame:
        """The predictions table of the training cohort."""
        return Results(self.path).predictions

    def validate(
        self,
        cohort: Cohort | str | Path,
        *,
        name: str | None = None,
        least_follow_up: float | None = None,
        **changes: Any,
    ) -> Results:
        """Apply the locked model to another cohort; nothing is refitted. Results go into `path`/external/NAME.

        `name` is by default the folder's, or the cohort's. Patients followed event-free for less than `least_follow_up`
        months are predicted, not reported. `changes` are settings of reading, such as tiles_per_specimen=65.
        """
        from hepatica.runs import validate

        name = name or (cohort.name if isinstance(cohort, Cohort) else Path(cohort).resolve().name)
        out = self.path / "external" / name
        least = None if least_follow_up is None else Months(least_follow_up)
        validate(self.path, cohort, out=out, least_follow_up=least, changes=changes)
        return Results(out)

    def predict(
        self,
        inputs: str | Path | Sequence[str | Path],
        *,
        out: str | Path = "predictions",
        mpp: float | None = None,
        force_mpp: bool = False,
        pictures: int = 20,
        names: bool = False,
        **changes: Any,
    ) -> Prediction:
        """Predict files, studies or a cohort folder with the locked model; tables and pictures go into `out`.

        `mpp` are micrometres per pixel of slides that do not say, with `force_mpp` of those that do too; with
        `names`, names.csv says which file each row is; `changes` as in `validate`.
        """
        from hepatica.runs import predict

        paths = [Path(inputs)] if isinstance(inputs, str | Path) else [Path(each) for each in inputs]
        resolution = None if mpp is None else MicronsPerPixel(mpp)
        reading: dict[str, Any] = {"mpp": resolution, "force_mpp": force_mpp, "pictures": pictures, "names": names}
        table = predict(self.path, paths, out=Path(out), **reading, changes=changes)
        return Prediction(Path(out), table)

    def explain(
        self, cohort: Cohort | str | Path, *, results: str | Path | None = None, specimens: int = 4
    ) -> list[Path]:
        """Draw the specimens of highest and lowest score that the model was not trained on; the files.

        `results` is the folder of a validation, by default that of this cohort in the run.
        """
        from hepatica.runs import explain

        return explain(self.path, cohort, results=None if results is None else Path(results), specimens=specimens)

    def verify(self, *cohorts: str | Path) -> pd.DataFrame:
        """Whether model, results and, with their cohort folders, specimens are as they were; see `runs.verify`."""
        from hepatica.runs import verify

        return verify(self.path, [Path(each) for each in cohorts])

    def report(self) -> Path:
        """Write report.html, its figures and the model card, of the run and its validations; the page."""
        from hepatica.report import write_report

        return write_report(
            self.path, external=sorted(each.parent for each in self.path.glob("external/*/metrics.json"))
        )

    def __repr__(self) -> str:
        return f"Run of {self.system} in {self.path}\n{self.metrics[COLUMNS[:6]].to_string(index=False)}"

    def _repr_html_(self) -> str:
        return f"<p>Run of {self.system} in {self.path}</p>{self.metrics[COLUMNS[:6]].to_html(index=False)}"


def train(
    system: Any,
    cohort: Cohort | str | Path,
    *,
    run: str | Path,
    quick: bool = False,
    trainer: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Run:
    """Train a system on a cohort, lock it and test it on patients set apart before; goes on where it was stopped.

    `system` is a name (see `list_systems`), a "module:RECORD" or a System. `quick` takes its settings for minutes on
    two cores; `settings` change single ones, such as epochs=20. `trainer` are flags of Lightning's Trainer.
    """
    from hepatica.protocol import override
    from hepatica.runs import train as train_run
    from hepatica.systems import find_system

    found = find_system(system) if isinstance(system, str) else system
    chosen = override(found.quick if quick else found.settings, settings)
    train_run(found, cohort, run=Path(run), settings=chosen, trainer=trainer)
    return Run(Path(run))


def open_run(path: str | Path) -> Run:
    """Open a locked run; RunError when it is unfinished or was altered since it was locked."""
    from hepatica.runs import RunFolder, verify_lock

    verify_lock(RunFolder(Path(path)))
    return Run(Path(path))


def predict(run: str | Path, inputs: str | Path | Sequence[str | Path], **options: Any) -> Prediction:
    """`open_run(run).predict(inputs, ...)`."""
    return open_run(run).predict(inputs, **options)


def list_systems() -> pd.DataFrame:
    """The published systems that can be trained: name, question, modality, tasks, year and DOI of the paper."""
    from hepatica.systems import listed

    rows = [
        {"name": each.name, "question": each.question, "modality": each.modality, "tasks": ", ".join(each.tasks)}
        | {key: each.paper.get(key) for key in ("year", "doi")}
        for each in listed().values()
    ]
    return pd.DataFrame(rows)

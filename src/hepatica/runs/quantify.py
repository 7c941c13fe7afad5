"""Quantify: a `Quantities` task answered by fits or networks: concentrations in 1H-MR spectra, with their bounds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from textwrap import fill

import pandas as pd

from hepatica.cohort import SettingsError, Specimen, write_predictions
from hepatica.cohort.applicability import UNKNOWN, UNUSUAL
from hepatica.cohort.atomic import replacing
from hepatica.cohort.preparation import Ledger, content_of, gather, prepare_each
from hepatica.cohort.remote import bring_all
from hepatica.cohort.seal import sealing
from hepatica.runs.engine import ALONE, Engine, Shared
from hepatica.runs.folder import SPECIMENS
from hepatica.runs.in_use import in_use
from hepatica.runs.inputs import cohort_as_plain, cohort_from_plain, cohort_of_files, read_inputs
from hepatica.runs.jobs import Job
from hepatica.runs.predict import claim, describe
from hepatica.runs.quantified import Found, Quantification, quantified
from hepatica.runs.scores import predictions, rows_of
from hepatica.runs.spread import Item, context_of, lost_of, set_aside, spread
from hepatica.runs.workers import Work
from hepatica.spectroscopy.cohorts.spectra import spectrum_key
from hepatica.spectroscopy.fitting.fit_picture import draw_fit
from hepatica.spectroscopy.fitting.quantities import COLUMNS, TASKS, as_scores
from hepatica.spectroscopy.fitting.ratios import COLUMNS as RATIO_COLUMNS
from hepatica.spectroscopy.fitting.ratios import ratios
from hepatica.spectroscopy.reading.nifti_mrs import write_nifti_mrs
from hepatica.spectroscopy.reading.pairs import pairs_of

QUANTITIES = "quantities.csv"
"""A row a specimen and quantity: value, unit, standard deviation, bound, and what is doubtful of the specimen."""

RATIOS = "ratios.csv"
"""A row a specimen and ratio of reported quantities: value and 95 % interval."""

FLAG_WIDTH = 110
"""Characters of a line of flags at the foot of a picture."""

LABEL = "Quantifying spectra"
"""The work, in the progress that is shown."""

IDS = ["row", "patient_id", "specimen_id"]


def quantify(
    inputs: Sequence[Path],
    *,
    out: Path,
    settings: Quantification,
    water: Path | None = None,
    engine: Engine = ALONE,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Quantify a cohort, a folder of spectra with water (`pairs_of`), or bare files: the tables of quantities and
    of specimens, as written into `out`.

    Writes predictions.csv, whose scores are the values that are reported; quantities.csv with bounds and flags;
    ratios.csv; specimens.csv; and of each specimen its fit as a picture and, where it was read as a decay, the
    preprocessed spectrum. Files are called by row, never by a name that might identify a patient. `water` is the water
    reference of a single file. Values of a spectrum with a flag are `unusual`, for that reason. A file that cannot be
    used is recorded in the ledger; SpecimenError when none can be. A call that was stopped goes on where it was. By
    jobs of an `engine` each spectrum is quantified by itself.
    RunError when `out` holds other results or `settings.run` is of another system, SettingsError on settings that do
    not go together.
    """
    specimens = _specimens(inputs, water)
    bring_all(specimens)
    made_from = settings.made_from
    keys = {each: spectrum_key(each, settings=made_from) for each in specimens}
    claim(out, made_from | {"specimens": list(keys.values())})  # in order: results are called by row
    if not engine.alone:
        with in_use(out / "prepared", shared=engine.share):
            _by_jobs(specimens, out=out, settings=settings, engine=engine)
    both, failures = _quantified(keys, out=out, settings=settings)
    tables, related = both[both["unit"].isin(TASKS)], both[~both["unit"].isin(TASKS)]
    seen = set(tables.loc[content_of(tables["key"]).isin(settings.seen_files), "patient_id"])
    asked = tuple(TASKS[unit].targets[0] for unit in tables["unit"].unique())
    judgement = _judged(tables)
    pool = rows_of(as_scores(tables), asked, failures=failures, judgement=judgement)
    folds = pd.Series("predicted", index=pool["patient_id"].unique())
    write_predictions(predictions(pool, folds=folds, cutoffs={}, seen=seen), path=out / "predictions.csv")
    with sealing(out / QUANTITIES) as temporary:
        tables[[*IDS, *COLUMNS]].to_csv(temporary, index=False)
    with sealing(out / RATIOS) as temporary:
        related[[*IDS, *RATIO_COLUMNS]].to_csv(temporary, index=False)
    about = tables.drop(columns=["key", "low", "high", *COLUMNS]).drop_duplicates().merge(judgement, on="specimen_id")
    return tables[[*IDS, *COLUMNS]], describe(about, failures, path=out / SPECIMENS)


def _judged(tables: pd.DataFrame) -> pd.DataFrame:
    """applicability and reason by specimen_id: `unusual` where a flag gives cause to doubt all values of a spectrum."""
    flags = tables.groupby("specimen_id", sort=False)["flags"].first()
    doubted = flags != ""
    return pd.DataFrame({"applicability": doubted.map({True: UNUSUAL, False: UNKNOWN}), "reason": flags.where(doubted)})


def _specimens(inputs: Sequence[Path], water: Path | None) -> Sequence[Specimen]:
    if len(inputs) == 1 and inputs[0].is_dir() and not (inputs[0] / "cohort.toml").is_file():
        pairs = pairs_of(inputs[0])
        own = read_inputs(tuple(pairs), modality="spectrum").specimens
        found = [_with_water([each], pairs[each.path])[0] for each in own]
        return _with_water(found, water)
    return _with_water(read_inputs(inputs, modality="spectrum").specimens_of("spectrum"), water)


def _with_water(specimens: Sequence[Specimen], water: Path | None) -> Sequence[Specimen]:
    if water is None:
        return specimens
    if len(specimens) > 1:
        raise SettingsError(f"got one water reference for {len(specimens)} files, wanted one file: call once for each")
    return [replace(each, attachments={**each.attachments, "water": water}) for each in specimens]


def _by_jobs(specimens: Sequence[Specimen], *, out: Path, settings: Quantification, engine: Engine) -> None:
    """A job for each spectrum; raise `Shared` where this was a share."""
    folder, cohort = out / "prepared", cohort_of_files(specimens)
    context = {"settings": settings.as_plain(), "out": str(out.absolute()), "cohort": cohort_as_plain(cohort)}
    context["made_from"] = settings.made_from  # the files that `settings` names may be others the next time
    lost = set(lost_of(specimens, folder=folder)["row"])
    items = [Item(place=str(each.row), specimens=[each]) for each in specimens if each.row not in lost]
    died = spread(
        "quantify", items, context=context, kinds=f"{__name__}:KINDS", folder=folder, engine=engine, label=LABEL
    )
    set_aside([each for item in died for each in item.specimens], folder=folder)
    if engine.share:
        raise Shared


@lru_cache(maxsize=1)
def _opened(file: str) -> tuple[Quantification, Path, dict[str, tuple[Specimen, str]]]:
    """The settings, the folder of results, and each specimen with its key by the place of its job."""
    context = context_of(file)
    settings = Quantification.from_plain(context["settings"])
    every = cohort_from_plain(context["cohort"]).specimens
    keys = {str(each.row): (each, spectrum_key(each, settings=settings.made_from)) for each in every}
    return settings, Path(context["out"]), keys


def _quantify(job: Job, progress: object) -> None:
    settings, out, specimens = _opened(job.given["context"])
    specimen, key = specimens[job.given["place"]]
    _make({specimen: key}, out=out, settings=settings)


KINDS: Mapping[str, Work] = {"quantify": _quantify}
"""The work of the jobs."""


def _quantified(
    keys: Mapping[Specimen, str], *, out: Path, settings: Quantification
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Quantities of every specimen, with what is known of it in further columns; and the failures."""
    lost = lost_of(list(keys), folder=out / "prepared")
    keys = {each: key for each, key in keys.items() if each.row not in set(lost["row"])}
    _make(keys, out=out, settings=settings)
    ledger = Ledger(out / "prepared" / "ledger")
    found, failures = gather(keys, partial(_made, out), ledger=ledger, wanted="files gave a spectrum")
    rows = {each.specimen_id: each.row for each in keys}  # of equal files, each has its own
    tables = [pd.read_parquet(path).assign(**who, row=rows[who["specimen_id"]]) for who, path in found]
    return pd.concat(tables, ignore_index=True), pd.concat([failures, lost], ignore_index=True)


def _made(out: Path, key: str) -> Path | None:
    return path if (path := out / "prepared" / f"{key}.parquet").exists() else None


def _make(keys: Mapping[Specimen, str], *, out: Path, settings: Quantification) -> None:
    """Quantify those that have not been."""

    def make(key: str, specimen: Specimen) -> None:
        found = quantified(specimen.path, water=specimen.attachments.get("water"), settings=settings)
        _draw(found, out, row=specimen.row, settings=settings)
        with replacing(out / "prepared" / f"{key}.parquet") as temporary:
            related = ratios(found.quantities, water_mm=found.water_mm)
            rows = [*found.quantities.to_table().to_dict("records"), *related.to_dict("records")]
            columns = dict.fromkeys([*COLUMNS, *RATIO_COLUMNS])
            pd.DataFrame(rows, columns=list(columns)).assign(row=specimen.row, **found.about).to_parquet(temporary)

    missing = {key: each for each, key in keys.items() if _made(out, key) is None}
    prepare_each(missing, make, ledger=Ledger(out / "prepared" / "ledger"), label=LABEL, workers=1)


def _draw(found: Found, out: Path, *, row: int, settings: Quantification) -> None:
    title = f"spectrum {row}: {settings.method}"
    note = "\n".join([*(fill(each, FLAG_WIDTH) for each in found.quantities.flags[0]), settings.note])
    draw_fit(found.drawn, path=out / f"specimen_{row:04d}_fit.png", title=title, note=note)
    if found.spectrum is not None:
        write_nifti_mrs(
            out / f"specimen_{row:04d}.nii.gz",
            fids=found.spectrum.fid,
            acquisition=found.spectrum.acquisition,
            applied=("transients combined, aligned and averaged; water removed", *found.spectrum.notes),
        )

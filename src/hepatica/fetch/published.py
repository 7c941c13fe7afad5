"""Published: what others have published about the patients of TCGA-LIHC: curated follow-up, mutations.

*Follow-up* is that of the TCGA clinical data resource (Liu 2018, doi 10.1016/j.cell.2018.02.052), as its authors, UCSC
Xena or cBioPortal print it.

*Mutations* are those of the GDC's masked somatic mutations (ensemble of five callers): a gene is mutated in a patient
if their primary tumour has a variant that changes the protein, and is not where their file has none. Which classes of
variants Chen 2020 and Liao 2020 counted is not published; these are the usual ones (doi 10.1101/gr.239244.118).
"""

import csv
import gzip
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hepatica.cohort.errors import CohortError, SpecimenError
from hepatica.cohort.faults import listed
from hepatica.fetch.follow_up import DAYS_A_MONTH

PROTEIN_CHANGING = frozenset(
    {
        "Frame_Shift_Del", "Frame_Shift_Ins", "In_Frame_Del", "In_Frame_Ins", "Missense_Mutation", "Nonsense_Mutation",
        "Nonstop_Mutation", "Splice_Site", "Translation_Start_Site",
    }
)  # fmt: skip
"""Variant_Classification of the MAF that counts."""

_COLUMNS = {"Hugo_Symbol", "Variant_Classification", "Tumor_Sample_Barcode"}
_UNKNOWN = frozenset({"", "na", "nan", "#n/a", "[not available]", "[discrepancy]"})


@dataclass(frozen=True, kw_only=True)
class _Shape:
    """One way in which the resource is printed: columns of the patient, of times and events, and days in its unit."""

    patient: str
    progression_free: tuple[str, str] = ("PFI.time", "PFI")
    overall_survival: tuple[str, str] = ("OS.time", "OS")
    days: float = 1.0


_SHAPES = (
    _Shape(patient="bcr_patient_barcode"),
    _Shape(patient="_PATIENT"),
    _Shape(
        patient="Patient ID",
        progression_free=("Progress Free Survival (Months)", "Progression Free Status"),
        overall_survival=("Overall Survival (Months)", "Overall Survival Status"),
        days=365 / 12,
    ),
)

FOLLOW_UP = ("progression_free", "overall_survival_curated")
"""Endpoints of the curated follow-up; each has columns _months and _event."""


def curated_follow_up(path: Path) -> pd.DataFrame:
    """Months and events of FOLLOW_UP by patient_id, of patients of whom the table has all of them.

    CohortError where the table has none of the three shapes, or a time or event that is none.
    """
    try:
        table = pd.read_csv(path, sep=None, engine="python", dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, csv.Error, OSError) as error:
        raise CohortError(f"{path}: got no table of text ({error}); wanted CSV or TSV, as UTF-8") from error
    shape = next((each for each in _SHAPES if {each.patient, *each.progression_free} <= {*table.columns}), None)
    if shape is None:
        known = " or ".join(each.patient for each in _SHAPES)
        raise CohortError(
            f"{path.name}: got the columns {listed(table.columns)}; wanted {known},"
            " and those of progression: the table of the TCGA clinical data resource, of UCSC Xena or of cBioPortal"
        )
    patients = table.drop_duplicates(shape.patient).set_index(shape.patient)
    found = {}
    for name, columns in zip(FOLLOW_UP, (shape.progression_free, shape.overall_survival), strict=True):
        time, event = (_numbers(patients[column], path) for column in columns)
        found[f"{name}_months"] = ((time * shape.days).round() / DAYS_A_MONTH).round(3)
        found[f"{name}_event"] = event
    return pd.DataFrame(found).rename_axis("patient_id").dropna()


def _numbers(cells: pd.Series, path: Path) -> pd.Series:
    """Numbers, of `1:DECEASED` the 1."""
    plain = cells.str.partition(":")[0].str.strip()
    numbers = pd.to_numeric(plain.mask(plain.str.lower().isin(_UNKNOWN)), errors="coerce")
    wrong = numbers.isna() & ~plain.str.lower().isin(_UNKNOWN) | (numbers < 0)
    if wrong.any():
        raise CohortError(
            f"{path.name}: got {plain[wrong].iloc[0]!r} in column {cells.name} of {cells.index[wrong][0]}, wanted 0 or"
            " more, or NA"
        )
    return numbers


def mutation_labels(files: Mapping[Path, str], *, genes: Collection[str]) -> pd.DataFrame:
    """1 where a gene is mutated in the primary tumour, else 0, by patient_id; one column a gene, in lower case.

    `files` are MAF files, one tumour each, with their patient. SpecimenError for a file that is no MAF.
    """
    mutated: dict[str, set[str]] = {}
    for path, patient in files.items():
        mutated.setdefault(patient, set()).update(_mutated(path))
    labels = {gene.lower(): [int(gene in mine) for mine in mutated.values()] for gene in genes}
    return pd.DataFrame(labels, index=pd.Index(mutated, name="patient_id"))


def _mutated(path: Path) -> set[str]:
    """Genes with a variant that counts; comments come before the header only."""
    try:
        with gzip.open(path, "rt") as text:
            rows = csv.DictReader((line for line in text if not line.startswith("#")), delimiter="\t")
            if not _COLUMNS.issubset(rows.fieldnames or ()):
                raise ValueError(f"wanted the columns {', '.join(sorted(_COLUMNS))}")
            return {
                row["Hugo_Symbol"]
                for row in rows
                if row["Variant_Classification"] in PROTEIN_CHANGING and row["Tumor_Sample_Barcode"][13:15] == "01"
            }
    except (OSError, EOFError, ValueError, TypeError, csv.Error) as error:
        raise SpecimenError(
            f"{path.name} is no MAF file ({type(error).__name__}: {error}); download it again"
        ) from error

"""Published: curated follow-up and mutations, from files written by hand and from the real ones."""

import gzip
import hashlib
import os
from pathlib import Path

import pytest

from hepatica.cohort import load_cohort
from hepatica.cohort.errors import CohortError, SpecimenError
from hepatica.fetch import fetch_tcga_lihc
from hepatica.fetch.published import curated_follow_up, mutation_labels

CDR = """,bcr_patient_barcode,type,OS,OS.time,PFI,PFI.time
1,TCGA-XX-A001,LIHC,0,1461,1,300
3,TCGA-XX-A004,LIHC,1,730,0,730
2,TCGA-XX-A002,LIHC,1,400,#N/A,#N/A
"""


def maf(*variants: tuple[str, str, str]) -> bytes:
    rows = [f"{gene}\t1\t{kind}\t{barcode}" for gene, kind, barcode in variants]
    header = "Hugo_Symbol\tEntrez_Gene_Id\tVariant_Classification\tTumor_Sample_Barcode"
    return gzip.compress("\n".join(["#version gdc-1.0.0", header, *rows, ""]).encode(), mtime=0)


def data(name: str) -> Path:
    path = Path(os.environ.get("HEPATICA_DATA", "")) / name
    if "HEPATICA_DATA" not in os.environ or not path.exists():
        pytest.skip(f"HEPATICA_DATA has no {name}")
    return path


@pytest.mark.parametrize("patient", ["bcr_patient_barcode", "_PATIENT"])
def test_curated_follow_up_in_days(tmp_path, patient):
    (tmp_path / "cdr.csv").write_text(CDR.replace("bcr_patient_barcode", patient))
    found = curated_follow_up(tmp_path / "cdr.csv")
    assert found.loc["TCGA-XX-A001"].tolist() == [9.856, 1, 48.0, 0]  # 300 and 1461 days over 30.4375
    assert "TCGA-XX-A002" not in found.index


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (CDR.replace("300", "soon"), "got 'soon' in column PFI.time of TCGA-XX-A001"),
        (CDR.replace("300", "-3"), "got '-3' in column PFI.time"),
        ("a,b\n1,2\n", "wanted bcr_patient_barcode or _PATIENT or Patient ID"),
    ],
)
def test_another_table_is_refused(tmp_path, text, told):
    (tmp_path / "cdr.csv").write_text(text)
    with pytest.raises(CohortError, match=told):
        curated_follow_up(tmp_path / "cdr.csv")


def test_curated_follow_up_of_cbioportal():
    """371 of 372 patients, 182 with progression; 724 days are 23.80 months of 365 / 12 days, 23.79 of ours."""
    found = curated_follow_up(data("clinical/sheyi_lihc_tcga_pan_can_atlas_2018_clinical_data.tsv"))
    assert (len(found), int(found.progression_free_event.sum())) == (371, 182)
    assert found.overall_survival_curated_months["TCGA-2Y-A9GS"] == 23.786


def test_a_variant_counts_if_it_changes_the_protein_of_the_primary_tumour(tmp_path):
    (tmp_path / "a.maf.gz").write_bytes(
        maf(
            ("CTNNB1", "Missense_Mutation", "TCGA-XX-A001-01A-11D"),
            ("TP53", "Silent", "TCGA-XX-A001-01A-11D"),
            ("ALB", "Nonsense_Mutation", "TCGA-XX-A001-02A-11D"),
        )
    )
    (tmp_path / "b.maf.gz").write_bytes(maf())
    files = {tmp_path / "a.maf.gz": "A", tmp_path / "b.maf.gz": "B"}
    found = mutation_labels(files, genes=("CTNNB1", "TP53", "ALB"))
    assert found.to_dict("index") == {"A": {"ctnnb1": 1, "tp53": 0, "alb": 0}, "B": {"ctnnb1": 0, "tp53": 0, "alb": 0}}


@pytest.mark.parametrize("wrong", [b"", b"text", maf(("A", "Silent", "X"))[:-9], gzip.compress(b"a\tb\n", mtime=0)])
def test_what_is_no_maf_is_refused(tmp_path, wrong):
    (tmp_path / "a.maf.gz").write_bytes(wrong)
    with pytest.raises(SpecimenError, match=r"a\.maf\.gz is no MAF file .* download it again"):
        mutation_labels({tmp_path / "a.maf.gz": "A"}, genes=("TP53",))


def test_a_cohort_with_all_of_them(newest, gdc, tmp_path, capsys):
    """Answers in the shape of API 8.5; a MAF file of a normal sample counts for nothing."""
    solid = newest.lists["files"][0]["cases"][0]["samples"][0]
    newest.lists["mutations"] = []
    for number, sample in enumerate([solid, solid | {"tissue_type": "Normal"}], start=1):
        file_id = f"00000000-0000-4000-8000-0000000a000{number}"
        newest.bodies[file_id] = maf(("TP53", "Splice_Site", f"TCGA-XX-A00{number}-01A-11D"))
        about = {"md5sum": hashlib.md5(newest.bodies[file_id]).hexdigest(), "file_size": len(newest.bodies[file_id])}
        case = {"submitter_id": f"TCGA-XX-A00{number}", "samples": [sample]}
        newest.lists["mutations"].append(
            {"id": file_id, "file_id": file_id, "file_name": f"{number}.maf.gz", "cases": [case], **about}
        )
    name = newest.lists["files"][0]["file_name"].removesuffix(".svs")
    (tmp_path / "drawn").mkdir()
    (tmp_path / "drawn" / f"{name}.json").write_text("[]")
    (tmp_path / "cdr.csv").write_text(CDR)
    options = {"genes": ["TP53", "CTNNB1"], "outlines": tmp_path / "drawn", "cdr": tmp_path / "cdr.csv"}
    cohort = load_cohort(fetch_tcga_lihc(tmp_path / "lihc", gdc=gdc, **options))
    assert cohort.patients.tp53.dropna().to_dict() == {"TCGA-XX-A001": 1}
    assert cohort.patients.ctnnb1.dropna().to_dict() == {"TCGA-XX-A001": 0}
    assert cohort.patients.progression_free_event.to_dict() == {"TCGA-XX-A001": 1, "TCGA-XX-A004": 0}
    assert "not in the table of curated follow-up: 3" in cohort.notes
    assert {"tp53", "ctnnb1", "progression_free", "overall_survival_curated"} < set(cohort.endpoints)
    outlined = {each.patient_id: each.attachments["annotation"] for each in cohort.specimens if each.attachments}
    assert list(outlined) == ["TCGA-XX-A001"]
    assert outlined["TCGA-XX-A001"].read_text() == "[]"
    shown = capsys.readouterr().err
    assert "tp53: mutated in 1 of 1 patients with a MAF file, of 2 in all" in shown
    assert "outlines of 1 of 2 slides" in shown
    newest.asked.clear()
    fetch_tcga_lihc(tmp_path / "lihc", gdc=gdc, **options)
    assert newest.asked == []

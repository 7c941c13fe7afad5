"""Study: a variant of Liu 2022 begins with what the study's run has learnt before they part."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import torch

from hepatica.cohort import SpecimenError, load_cohort
from hepatica.cohort.phantom import RESECTED, phantom_tables
from hepatica.learn import fit
from hepatica.pathology.nuclei.pretrained import train_nuclei, untrained
from hepatica.protocol import override
from hepatica.runs import RunFolder
from hepatica.runs.folder import start_run
from hepatica.studies.liu_2022_mobilenetv2_hcc_class.study import VARIANTS, _review, _share_stages
from hepatica.studies.study import Work
from hepatica.systems.liu_2022_mobilenetv2_hcc_class import SYSTEM

SETTINGS = SYSTEM.shortest_quick


def trained(run: RunFolder) -> Any:
    training: Any = SimpleNamespace(settings=SETTINGS, folder=run.work, cohort=None, trainer={})
    network = untrained(SETTINGS)
    train_nuclei(training, network, mpp=SETTINGS.mpp)
    return network.state_dict()


def test_slides_of_a_store_are_brought_before_they_are_reviewed(file_server, write_cohort, tmp_path: Path) -> None:
    row = f"P1,S1,slide,{file_server.url}/absent.svs"
    folder = write_cohort(tmp_path / "far", specimens=f"patient_id,specimen_id,modality,path\n{row}\n")
    pd.DataFrame({"patient_id": ["P1"]}).to_parquet(tmp_path / "regions.parquet")
    pd.DataFrame({"fold": ["external"]}, index=["P1"]).to_parquet(tmp_path / "patients.parquet")
    locked: Any = SimpleNamespace(settings=SETTINGS, network=None)
    with pytest.raises(SpecimenError, match="row 2 column path: the store has no such file"):
        _review(locked, folder, tmp_path)


def test_a_variant_takes_the_unet_of_the_run_and_trains_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cohort = phantom_tables(tmp_path / "cohort", patients=12, population=RESECTED, endpoints="usual")
    work = Work(cohort=cohort, run=tmp_path / "run", external={}, settings=SETTINGS)
    own, changed = trained(RunFolder(work.run)), override(SETTINGS, VARIANTS["attention"])
    variant = RunFolder(work.run / "ablation" / "attention")
    _share_stages(work, variant, changed)
    _share_stages(work, variant, changed)  # as when the study is taken up again
    monkeypatch.setattr(fit, "_train", lambda *given, **flags: pytest.fail("a U-Net was trained again"))
    torch.testing.assert_close(trained(variant), own, rtol=0, atol=0)
    start_run(variant, reference=SYSTEM.name, system=SYSTEM, settings=changed, cohort=load_cohort(cohort))


@pytest.mark.parametrize(
    ("variant", "stages"),
    [("attention", {"nuclei", "warm-up"}), ("all outcomes", {"nuclei"}), ("tile times nuclear map", {"nuclei"})],
)
def test_the_warm_up_is_shared_by_those_that_differ_in_the_pool_alone(
    variant: str, stages: set[str], tmp_path: Path
) -> None:
    cohort = phantom_tables(tmp_path / "cohort", patients=12, population=RESECTED, endpoints="usual")
    work = Work(cohort=cohort, run=tmp_path / "run", external={}, settings=SETTINGS)
    for stage in ("nuclei", "warm-up", "classifier"):
        (work.run / "work" / stage).mkdir(parents=True)
    own = RunFolder(tmp_path / "variant")
    _share_stages(work, own, override(SETTINGS, VARIANTS[variant]))
    assert {each.name for each in own.work.iterdir()} == stages

"""Study: the command that repeats every analysis of a paper on your own cohort."""

from pathlib import Path
from typing import Annotated

import typer

from hepatica.cli.options import Cohort, Quick, Settings, Trainer, assignments


def study(
    name: Annotated[
        str,
        typer.Argument(
            help="Paper: li_2025_cnn_sasm, wang_2021_hccnet, bae_2025_qcnn, liu_2022, or the system's full name."
        ),
    ],
    cohort: Cohort,
    run: Annotated[Path, typer.Option(help="Study folder to create, or to resume after an interruption.")],
    external: Annotated[
        list[Path] | None,
        typer.Option(help="Cohort folder of another hospital for external validation; repeatable.", exists=True),
    ] = None,
    quick: Quick = False,
    settings: Settings = None,
    trainer: Trainer = None,
    jobs: Annotated[int, typer.Option(min=1, help="Variants of liu_2022 that are trained side by side.")] = 1,
) -> None:
    """Make every table and figure of a paper from your cohort, in one report.

    li_2025_cnn_sasm (doi 10.1186/s12916-025-03977-4): cross-validation of eight networks on six denoised subsets,
    choice of the subset, prognosis at one and two years and at the end of follow-up, against end-to-end training and
    against clinical indicators, sorafenib, Grad-CAM and threshold heatmaps, external validation. At the paper's
    settings it trains some 260 networks and needs a GPU.

    wang_2021_hccnet (NoduleNet and HCCNet, doi 10.1038/s41416-021-01511-w): both networks trained on CT, tested on
    held-out and external patients, the risk score against pathology, readers (readers.csv of the cohort folder) alone,
    with the AI and against it, saliency against experts' outlines (column nodule_mask of specimens.csv).

    bae_2025_qcnn (qCNN and cCNN, doi 10.2463/mrms.mp.2025-0064): cCNNs trained on spectra simulated from some patients
    of each group and tested on the others, with controls and power; qCNNs against least squares and MAP on simulated
    spectra, against the bounds of error, and under conditions they were not trained for.

    liu_2022 (MobileNetV2_HCC_Class, doi 10.1007/s12072-022-10321-y): trained on slides of resected patients, validated
    on transplanted patients and a public cohort, time-dependent AUROC beside every other factor, each thing that the
    abstracts leave open changed, the tiles of highest and lowest score counted.

    Results of every step are stored: after an interruption, the same command resumes, and finished steps are not
    repeated. Try it with --quick first.
    """
    from hepatica.protocol import override
    from hepatica.studies import find_study, run_study, write_study_report

    found = find_study(name)
    changed = override(found.quick if quick else found.settings, assignments(settings))
    run_study(name, cohort, run=run, external=external or [], settings=changed, trainer=assignments(trainer), jobs=jobs)
    typer.echo(f"report: {write_study_report(name, run)}")

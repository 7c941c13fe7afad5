"""Chapters: the report of Bae 2025: quantities in simulation, then classification of patients."""

from functools import partial

from hepatica.evaluate import Confusion
from hepatica.report import Chapter
from hepatica.report.chapters import (
    baseline,
    calibration,
    checklist,
    discrimination,
    flow,
    published,
    shift,
    small_sample,
    summary,
)
from hepatica.report.chapters.quantification import bounds, errors, robustness, spectra
from hepatica.report.chapters.quantification.compared import Compared, Method
from hepatica.report.page import Gallery, Run, Section, provenance, read_run
from hepatica.runs.folder import RunFolder, read_settings
from hepatica.runs.lock import verify_lock
from hepatica.studies.bae_2025_qcnn.settings import QUANTIFIER

KINDS = {"signal model": "nuisance of the signal model alone", "everything": "every nuisance"}
"""Nuisance of simulated spectra (`studies.bae_2025_qcnn.study.TESTED`), as captions name it."""

PAPER = Confusion(tp=7, fn=0, fp=1, tn=9)
"""The paper's held-out patients: 7 of 7 with HCC and 9 of 10 without called correctly."""


def training(run: Run) -> str:
    """What the qCNNs were trained on, in a sentence."""
    folder = RunFolder(run.folder / QUANTIFIER)
    settings, facts = read_settings(folder)["settings"], verify_lock(folder)["training"]
    kind = KINDS["everything" if settings["effects"] == "all" else "signal model"]
    count, members = facts["simulated training spectra per member"], settings["members"]
    who, each = ("One network was", "") if members == 1 else (f"{members} networks were", " each")
    return f"{who} trained on {count:,} simulated spectra{each}, with {kind}."


COMPARED = Compared(
    methods={
        "nls": Method(name="NLS", colour="#7b8794", marker="s"),
        "map": Method(name="MAP", colour="#e69f00"),
        "qcnn": Method(name="qCNN", colour="#0072b2", marker="^"),
        "qcnn+gn": Method(name="qCNN + GN", colour="#d55e00", line="--", marker="x"),
    },
    kinds=KINDS,
    pairs=(("qcnn", "nls"), ("qcnn", "map"), ("qcnn+gn", "nls"), ("qcnn+gn", "map")),
    reference="nls",
    own="signal model",
    level=0.004,
    about="simulated spectra, on which nothing was trained or calibrated, were quantified by every method, twice: with"
    " the nuisance that the fits' model includes (shifts, widths, phases, a baseline of splines, noise), where least"
    " squares performs best; and with every nuisance (also water, echoes, eddy currents, breath, relaxation, other"
    " baselines), as patients' spectra have. All methods are given the noise.",
    claim="The paper reports (claim 1) that its qCNNs err less than a nonlinear least-squares fit in all 15 metabolites"
    " and 5 lipids, with P at most .004; its spectra, ranges, networks and test are not public. Least squares uses no"
    " prior knowledge of concentrations, whereas networks have learned the priors, which alone can make them better."
    " The fair comparison is the MAP fit, least squares with the same priors. All spectra are drawn from these priors;"
    " the chapter on robustness shows the methods under other conditions.",
    bounds="The Cramér-Rao bound (CRLB) is the least standard deviation of an unbiased estimate without prior knowledge"
    " of concentrations; an estimate with priors may be below it, down to the Bayesian bound. Both are of the fits'"
    " model, at the true concentrations, widths and phases of each spectrum, so that they apply to the spectra with its"
    " nuisance alone. Where the CRLB is far below the spread of the true values, the spectrum determines the quantity;"
    " where it is above, the printed value comes from the prior.",
    intervals="Stated uncertainty is tested on both kinds of spectra. That of the fits is valid where their model is;"
    " that of the networks was calibrated on simulated spectra like those they were trained on.",
    sweeps="The same concentrations again, one condition changed at a time: noise, linewidth, baseline, echo time,"
    " refocusing pulses; everything else is as in training. The methods keep their model, priors and weights. The"
    " widest line, every other echo time and shaped pulses are outside the training conditions of the networks; echo"
    " times change how couplings evolve, not relaxation. Errors are means over targets of the mean |error| over that of"
    " least squares as trained.",
    training=training,
)
"""Least squares, the same with priors (MAP), networks, and networks with Gauss-Newton steps, whose line is broken
because it often lies on that of MAP."""


def classification(run: Run, gallery: Gallery) -> Section:
    """Claim 2: the cCNNs on few patients, beside a discriminant of the qCNNs' concentrations and one of nuisance."""
    beside = [run.folder / QUANTIFIER / "external" / each.folder.name for each in run.external]
    controls = small_sample.Controls(
        name="cCNN",
        other={
            "Discriminant of the qCNN's concentrations": read_run(run.folder / QUANTIFIER, external=beside),
        },
        nuisance=("linewidth_hz", "noise_sd"),
        nuisance_name="Discriminant of linewidth and noise",
        paper=PAPER,
        text="The paper (claim 2) calls all 7 held-out patients with HCC and 9 of 10 without correctly. Seventeen"
        " patients cannot exclude a sensitivity of 59% or a specificity of 56%. Two controls on the same patients are"
        " fitted to the training patients: a linear discriminant of the concentrations found by the qCNNs, and one of"
        " linewidth and noise alone. If the second performs well, the two groups were measured differently; it is not"
        " used in other hospitals, whose noise has another unit.",
        note="Cut-offs: the cCNN's is of simulated patients, that of concentrations balances sensitivity and"
        " specificity in training patients, that of linewidth and noise is one half.",
    )
    return small_sample.section(run, gallery, controls=controls)


CHAPTERS: tuple[Chapter, ...] = (
    summary.section,
    flow.section,
    baseline.section,
    published.section,
    partial(errors.section, compared=COMPARED),
    partial(bounds.section, compared=COMPARED),
    partial(robustness.section, compared=COMPARED),
    classification,
    partial(spectra.section, network="cCNN"),
    discrimination.section,
    shift.section,
    calibration.section,
    provenance.section,
    checklist.section,
)

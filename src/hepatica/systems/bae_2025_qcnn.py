"""qCNN: what are the concentrations of 15 metabolites and 5 lipids in a liver spectrum, and do they indicate HCC?

Convolutional networks (qCNNs) learn to quantify from simulated spectra, which are new in every epoch. They give each
concentration with a standard deviation that was calibrated on held-out simulated spectra. A linear discriminant of the
concentrations then separates patients with hepatocellular carcinoma from those without.

Departures (of the paper only the abstract is public, doi 10.2463/mrms.mp.2025-0064; all else here is ours):
1. The score is not the paper's, whose qCNNs only quantify: it is the linear discriminant (shrunken covariance) of the
   training patients' concentrations. It is a control for the paper's cCNNs (`bae_2025_ccnn`): it shows what a simple
   rule on concentrations achieves. Its cut-off balances sensitivity and specificity in the training patients.
2. Spectra are simulated from the ranges of priors/priors.toml; those of the paper are from its first 10 + 10 patients.
3. The part of the compressed concentrations that is linear in the compressed spectrum is fitted in closed form; several
   networks (`members`) learn the rest by heteroscedastic likelihood and, with `bound_share`, by the error in units of
   the Cramér-Rao bound.
4. A spectrum without a usable water reference is scaled to the usual height, and its concentrations have no unit.

Unclear:
1. Sequence, echo time, sampling, sizes of networks and simulation, names of the targets, and how errors were measured:
   see `Settings`, `spectroscopy/signal/targets.py` and `hepatica study bae_2025_qcnn`.
2. Whether one network quantified lipids and metabolites or one each: here each of `members` quantifies all.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from hepatica.cohort import Binary, Quantities
from hepatica.evaluate import fit_discriminant
from hepatica.learn import Share
from hepatica.learn.images import as_network_input
from hepatica.networks import TwoStage
from hepatica.protocol import Inference, Paper, System, Training
from hepatica.saliency import flattened
from hepatica.spectroscopy.cohorts.millimolar import Millimolar, millimolar
from hepatica.spectroscopy.cohorts.spectra import SpectraStore
from hepatica.spectroscopy.fitting.quantities import as_scores
from hepatica.spectroscopy.fitting.signal_model import SHARED
from hepatica.spectroscopy.fitting.water_scaling import unknown_shares
from hepatica.spectroscopy.networks.qcnn import Measured, Qcnn, build_qcnn
from hepatica.spectroscopy.networks.qcnn_quantify import measured, quantities_by
from hepatica.spectroscopy.networks.qcnn_training import QcnnPlan, train_qcnn
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.room import SPECTRA
from hepatica.spectroscopy.simulation.simulated_samples import SimulatedSamples


@dataclass(frozen=True, kw_only=True)
class Settings(QcnnPlan):
    """The numbers of the abstract; what it leaves open is ours, that is nearly all."""

    endpoint: str = "hcc"  # label that is predicted
    validation: Share = 0.0  # none: tuning uses simulated spectra only
    test: Share = 17 / 37
    seed: int = 2025


def build(settings: Settings, *, pretrained: bool) -> TwoStage:
    """The untrained networks and discriminant; the same from one seed. There are no pretrained ones."""
    extractor = build_qcnn(settings)
    return TwoStage(extractor, {settings.endpoint: nn.Linear(len(settings.model.names), 1)})


def train(training: Training[Settings, SpectraStore]) -> dict[str, Any]:
    """The networks on simulation, then the discriminant on what they find in the training patients."""
    network, settings, cohort = training.network, training.settings, training.cohort
    priors = read_priors().select(settings.model.names)
    samples = SimulatedSamples(priors=priors, model=settings.model, seed=settings.seed, effects=settings.simulated)
    summary = train_qcnn(network.extractor, samples, settings, folder=training.folder, trainer=training.trainer)
    spectra = training.material.select(patient_ids=training.split.train)
    squeezed = features(network.extractor, quantify(network.extractor, spectra)[0])
    patients = pd.DataFrame(squeezed.numpy()).groupby(spectra.index["patient_id"].to_numpy()).mean()
    label = cohort.label(training.task.targets[0])
    found = fit_discriminant(patients.to_numpy(), label=label.loc[patients.index].to_numpy())
    head = network.heads[settings.endpoint]
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(found.weights)[None])
        head.bias.fill_(found.intercept)
    return {"priors": priors.digest[:12], "patients of the discriminant": len(patients), **summary}


def quantify(network: Qcnn, spectra: SpectraStore) -> tuple[Measured, Millimolar]:
    """What the networks say of each spectrum, scaled to mM by its water; what it was scaled to."""
    scaled = millimolar(spectra, norm_without_water=float(network.norm))
    return measured(network, scaled.values), scaled


def features(network: Qcnn, found: Measured) -> Tensor:
    """(n, k) concentrations as the networks learn them: squeezed, so that few mM and many count alike."""
    squeezed: Tensor = network.scales(torch.as_tensor(found.value))
    return squeezed[:, : len(found.value[0]) - len(SHARED)]


def predict(network: Any, spectra: SpectraStore, settings: Settings) -> Inference:
    """Concentrations of each spectrum with their standard deviation and bound, and the discriminant of them."""
    qcnn = network.extractor
    found, scaled = quantify(qcnn, spectra)
    with torch.inference_mode():
        score = network.heads[settings.endpoint](features(qcnn, found))[:, 0].double().sigmoid().numpy()
    quantities = quantities_by(
        found, network=qcnn, model=settings.model, priors=read_priors(), noise_sd=scaled.noise_sd, unit="mM"
    )
    quantities = quantities.with_lipids(scaled.lipids, unknown=unknown_shares(spectra.acquisition)).with_sums()
    columns = {
        f"{name}{of}": values[:, place]
        for place, name in enumerate(quantities.names)
        for of, values in (("_mm", quantities.concentration), ("_mm_sd", quantities.sd), ("_mm_crlb", quantities.crlb))
    }
    flags = ["; ".join(each) for each in quantities.flags]
    regions = spectra.index.assign(**columns, in_mm=scaled.scaled, flags=flags, score=score)
    ids = ["patient_id", "specimen_id"]
    table = quantities.to_table().join(regions[[*ids, "in_mm"]])
    table.loc[~table["in_mm"], ["value", "reported"]] = np.nan, "no usable water reference: not in mM"
    hcc = regions[[*ids, "score"]].assign(task="binary", endpoint=settings.endpoint, horizon_months=0.0)
    specimens = pd.concat([hcc, as_scores(table)]).merge(regions[[*ids, *columns, "in_mm", "flags"]], on=ids)
    return Inference(specimens=specimens, regions=regions, signatures=found.signature)


def saliency(network: Any, images: np.ndarray) -> np.ndarray:
    """How far the discriminant moves where a stretch of the spectrum, at its usual strength, is made straight."""
    (head,) = network.heads.values()

    def log_odds(found: Measured) -> Tensor:
        odds: Tensor = head(features(network.extractor, found))
        return odds[:, 0]

    spectra = as_network_input(torch.from_numpy(images)) * network.extractor.norm
    return flattened(network.extractor, spectra, target=log_odds)


SYSTEM = System(
    name="bae_2025_qcnn",
    question="What are the concentrations of 15 metabolites and 5 lipids in a liver 1H-MR spectrum, and do they"
    " indicate hepatocellular carcinoma?",
    paper=Paper(
        title="Deep Learning-aided 1H-MR Spectroscopy for Differentiating between Patients with and without"
        " Hepatocellular Carcinoma",
        authors="Bae JS, Lee HH, Song IC, Lee JY, Han JK, Kim H.",
        journal="Magnetic Resonance in Medical Sciences",
        year=2025,
        doi="10.2463/mrms.mp.2025-0064",
        reported={"simulated": {"targets of 20 with a lower error than least squares": 20, "highest P": 0.004}},
        patients="37, and simulated spectra",
        network="CNNs trained on simulated spectra",
        validation="simulated spectra",
        code="not released",
    ),
    task=lambda settings: (Binary(settings.endpoint, rule="balanced"), Quantities("concentration")),
    room=SPECTRA,
    settings=Settings(),
    trial={"per_epoch": 20_480, "held_out": 2_000, "epochs": 12, "test": 0.3},  # ours
    build=build,
    train=train,
    infer=predict,
    saliency=saliency,
    meaning="probability of HCC by the concentrations",
)

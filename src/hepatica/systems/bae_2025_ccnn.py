"""cCNN: do these cirrhotic livers also have hepatocellular carcinoma, judged from a 1H-MR spectrum of the parenchyma?

The spectra of the first patients of each group are fitted. From the results, any number of spectra is simulated for
each group, and convolutional networks (cCNNs) learn to distinguish the simulated groups. No network sees a patient's
spectrum before it is tested on one.

Departures (of the paper only the abstract is public, doi 10.2463/mrms.mp.2025-0064; all else here is ours):
1. Training patients are drawn at random, stratified by group; the paper takes the first 10 of each.
2. Their spectra are fitted by MAP, with the ranges of priors/priors.toml as priors, and scaled to mM by their water;
   the paper does not name its fit.
3. A simulated patient is drawn from the posterior predictive distribution, which includes the uncertainty of ten
   patients. Widths, noise, phases and shifts are pooled (`nuisance`), so that they cannot serve as shortcuts.
4. Networks read the spectrum divided by its mean modulus, without its height, which depends on coil and water. A
   proportional rise of all concentrations is therefore not detected.
5. The cut-off balances sensitivity and specificity in held-out simulated spectra; one temperature, fitted there, turns
   the scores into probabilities. Neither uses data of patients.

Unclear:
1. Sequence, echo time, sampling, sizes of networks and simulation, and names of the targets: see `Settings`.
2. Whether several cCNNs were combined: the plural suggests it (`members`).
3. How several spectra of a patient were pooled: here by the mean of their scores.
"""

from dataclasses import dataclass
from typing import Any, Literal

from hepatica.cohort import Binary, CohortError
from hepatica.learn import Share, infer
from hepatica.protocol import Inference, Paper, System, Training
from hepatica.protocol.plain import log_odds
from hepatica.spectroscopy.cohorts.fit_priors import FEWEST, fit_patients, fit_priors
from hepatica.spectroscopy.cohorts.spectra import SpectraStore
from hepatica.spectroscopy.networks.ccnn import READ_AT_ONCE, Ccnn, build_ccnn, train_ccnn
from hepatica.spectroscopy.networks.novelty import novelty_flags
from hepatica.spectroscopy.networks.spectral_plan import SpectralPlan
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.room import SPECTRA
from hepatica.spectroscopy.simulation.simulated_samples import SimulatedSamples


@dataclass(frozen=True, kw_only=True)
class Settings(SpectralPlan):
    """The numbers of the abstract; what it leaves open is ours, that is nearly all."""

    endpoint: str = "hcc"  # label that is predicted
    validation: Share = 0.0  # none: tuning uses simulated spectra only
    test: Share = 17 / 37
    nuisance: Literal["pooled", "per_class"] = "pooled"  # ours; "per_class" shows how much shortcuts contribute
    dropout: Share = 0.1
    epochs: int = 20
    seed: int = 2025


def build(settings: Settings, *, pretrained: bool) -> Ccnn:
    """The untrained networks; the same from one seed. There are no pretrained ones."""
    return build_ccnn(settings)


def train(training: Training[Settings, SpectraStore]) -> dict[str, Any]:
    """Fit the training patients' spectra, simulate both groups from that, learn from the simulation alone."""
    settings = training.settings
    samples, counts = simulated_classes(training)
    summary = train_ccnn(training.network, samples, settings, folder=training.folder, trainer=training.trainer)
    return {
        "patients without HCC that were fitted": counts[0],
        "patients with HCC that were fitted": counts[1],
        "priors without and with HCC": " and ".join(each.priors.digest[:12] for each in samples),
        **summary,
    }


def simulated_classes(
    training: Training[Settings, SpectraStore],
) -> tuple[tuple[SimulatedSamples, ...], tuple[int, int]]:
    """What both groups are drawn from, first those without HCC, and of how many patients each was learnt."""
    settings, cohort, based_on = training.settings, training.cohort, read_priors().select(training.settings.model.names)
    spectra = training.material.select(patient_ids=training.split.train)
    found = fit_patients(spectra, model=settings.model, priors=based_on)
    label = cohort.label(training.task.targets[0])
    classes = label.loc[found.concentrations.index].to_numpy(int)
    counts = (int((classes == 0).sum()), int((classes == 1).sum()))
    if min(counts) < FEWEST:
        raise CohortError(
            f"got {counts[0]} training patients without and {counts[1]} with HCC whose spectrum can be fitted, wanted"
            f" {FEWEST} or more of each; add patients, or lower the setting test"
        )
    priors = fit_priors(
        found.concentrations.to_numpy(),
        classes,
        based_on=based_on,
        nuisance=found.measured,
        height=found.height,
        nuisance_per_class=settings.nuisance == "per_class",
    )
    without, with_hcc = (
        SimulatedSamples(
            priors=priors[each], model=settings.model, seed=settings.seed + each, effects=settings.simulated
        )
        for each in (0, 1)
    )
    return (without, with_hcc), counts


def predict(network: Ccnn, spectra: SpectraStore, settings: Settings) -> Inference:
    """Probability of HCC by each spectrum, and in `flags` whether it is unlike all that was simulated."""
    score, signature, novelty = infer(
        network,
        spectra,
        batch=READ_AT_ONCE,
        label="reading spectra",
        outputs=lambda read: (log_odds(read).sigmoid(), read.signature, read.novelty),
    )
    regions = spectra.index.assign(score=score, flags=["; ".join(each) for each in novelty_flags(novelty)])
    specimens = regions[["patient_id", "specimen_id", "score", "flags"]]
    return Inference(specimens=specimens, regions=regions, signatures=signature)


SYSTEM = System(
    name="bae_2025_ccnn",
    question="Does this patient with cirrhosis have hepatocellular carcinoma, judging from a liver 1H-MR spectrum?",
    paper=Paper(
        title="Deep Learning-aided 1H-MR Spectroscopy for Differentiating between Patients with and without"
        " Hepatocellular Carcinoma",
        authors="Bae JS, Lee HH, Song IC, Lee JY, Han JK, Kim H.",
        journal="Magnetic Resonance in Medical Sciences",
        year=2025,
        doi="10.2463/mrms.mp.2025-0064",
        reported={
            "internal": {"sensitivity hcc": 1.0, "specificity hcc": 0.9, "accuracy hcc": 0.941},
        },
        patients="37; 17 of them for the test",
        network="CNNs trained on simulated spectra",
        validation="held-out patients",
        code="not released",
    ),
    task=lambda settings: Binary(settings.endpoint, rule="of_simulation"),
    room=SPECTRA,
    settings=Settings(),
    trial={"per_epoch": 10_240, "held_out": 2_000, "epochs": 15, "batch": 128, "test": 0.3},  # ours
    build=build,
    train=train,
    infer=predict,
    meaning="probability of HCC",
)

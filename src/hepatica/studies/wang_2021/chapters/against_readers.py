"""Against readers: Table 4 of Wang 2021, readers and model on the same patients, by the paper's test and another."""

from hepatica.evaluate import ReaderTable, study_readers
from hepatica.evaluate.readers.readers import Arm
from hepatica.report.page.blocks import Block, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Results, Run
from hepatica.report.page.wording import METRICS, NONE, p_value
from hepatica.studies.wang_2021.chapters.found import MACHINE, read_by
from hepatica.studies.wang_2021.chapters.published import AGAINST_P, WHERE
from hepatica.studies.wang_2021.chapters.reader_rows import RATES, mcnemar_table, rate, rates_of, versus_cells

CAUTION = (
    "The paper compares readers with the model by a one-sample t test over three readers. It takes the patients for all"
    " there are, so that its P says nothing of other patients, and rests on three numbers; a P above 0.05 is then no"
    " sign of equality. Beside it stands the test of Obuchowski and Rockette, in which readers and patients are both"
    " samples, and for each reader McNemar's exact test on the same patients. Intervals are those of differences: where"
    " they are wide, the study was too small to say that readers and model are alike."
)


def section(run: Run, gallery: Gallery) -> Section:
    """A table of rates and tests a cohort, McNemar's of each reader, and the readers' agreement."""
    blocks: list[Block] = [Text(text=CAUTION)]
    for place, each in enumerate(run.cohorts):
        table = read_by(each, run.targets[0])
        if table is None:
            text = f"{each.title}: nobody read patients of both kinds among the reported ones."
            blocks.append(Text(text=text, tone="note"))
        else:
            blocks += against(table, each, where=WHERE[min(place, 1)])
    return Section(anchor="readers", title="Model against readers", blocks=blocks)


def against(table: ReaderTable, results: Results, *, where: str) -> list[Block]:
    """The first arm of a reader study against the machine."""
    study = study_readers(table)
    name, arm = next(iter(study.arms.items()))
    cases, ill = table.label.size, int(table.label.sum())
    header = ["", *table.readers, "Mean of readers", MACHINE]
    header += ["Readers minus model", "P, readers and cases", "P, t over readers", "Paper's P"]
    machine = study.machine or {}
    rows = [
        [
            METRICS[each],
            *rates_of(arm, each),
            rate(machine.get(each)),
            *versus_cells(arm.against_machine, each),
            p_value(AGAINST_P[where][each]) if each in AGAINST_P[where] else NONE,
        ]
        for each in RATES
        if any(each in found for found in arm.per_reader.values())
    ]
    rates = Table(
        caption=f"Table 4 of the paper: {name} readers and the model on the same patients. {results.title}, n ="
        f" {cases}, {ill} with HCC.",
        header=header,
        rows=rows,
        note="Rates of single readers and of the model have exact intervals; those of the mean and of differences hold"
        " for other readers and other patients. The paper's P is that of its own readers and patients.",
    )
    blocks: list[Block] = [rates]
    if arm.against_machine is not None:
        caption = f"McNemar's exact P of each reader against the model. {results.title}."
        note = "On the same patients: all, those with HCC (sensitivity), those without (specificity). Uncorrected."
        blocks.append(mcnemar_table(arm.against_machine, caption=caption, note=note))
    return [*blocks, *_agreement(arm, results)]


def _agreement(arm: Arm, results: Results) -> list[Block]:
    found = arm.agreement
    if found is None:
        return []
    told = (
        f"{results.title}: all readers agree on {rate(found.all_agree)} of the patients; Fleiss' kappa"
        f" {rate(found.kappa)}, z test against chance P {p_value(found.p)}. In the paper 82.1% and kappa 0.761 in its"
        " internal, 62.2% and 0.489 in its external test set."
    )
    return [Text(text=told)]

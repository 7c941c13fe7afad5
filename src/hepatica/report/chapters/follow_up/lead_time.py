"""Lead time: whether AUROC falls with the time to the event."""

from hepatica.cohort import Target
from hepatica.evaluate.binary.lead_time import lead_time
from hepatica.report.page import Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.wording import attempt, cell, heading, p_value

TEXT = (
    "AUROC in thirds of the patients with the event, by its time (months from the index date), each against all"
    " patients known to be free of it at the horizon. The earlier before an event, the weaker its signs, so AUROC"
    " should fall from the first third to the last. If it does not, the score reflects a constant risk, or the"
    " outcome has leaked into the inputs."
)


def section(run: Run, gallery: Gallery) -> Section | str:
    """A table a cohort; a sentence for scores without a horizon of follow-up."""
    del gallery
    followed = [target for target in run.targets if target.task == "binary" and target.horizon]
    if not followed:
        return "Lead time: no score predicts an event by a horizon of follow-up."
    tables = [_table(each, followed) for each in run.cohorts]
    return Section(anchor="lead_time", title="Lead time", blocks=[Text(text=TEXT), *tables])


def _table(results: Results, targets: list[Target]) -> Table:
    return Table(
        caption=f"{results.title}: AUROC by time to the event, with 95% intervals. Correlation: Spearman's, of time"
        " and score among patients with the event; P is one-sided, for a score that falls with time.",
        header=["Time of the event, months", "Patients with the event", "AUROC"],
        rows=[row for target in targets for row in ([heading(target)], *_rows(results, target))],
    )


def _rows(results: Results, target: Target) -> list[list[str]]:
    known = results.outcomes(target).dropna(subset="label")
    found = attempt(lambda: lead_time(known["label"], time=known["time"], score=known["score"]))
    if isinstance(found, str):
        return [["Thirds", found, ""]]
    rows = [[f"{each.first:.1f} to {each.last:.1f}", str(each.cases), cell(each.auroc)] for each in found.parts]
    return [*rows, ["Correlation", f"{found.correlation:.2f}", f"P {p_value(found.p)}"]]

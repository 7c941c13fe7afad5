"""Tables: every table of a report as a CSV file, for spreadsheets and papers."""

import csv
from collections.abc import Sequence
from pathlib import Path

from hepatica.cohort.atomic import replacing
from hepatica.report.page.blocks import Section, Table


def write_tables(sections: Sequence[Section], folder: Path) -> list[Path]:
    """Write each table as `<chapter>_<number>.csv`, its caption in the first row; the files in their order."""
    written = []
    for section in sections:
        tables = [block for block in section.blocks if isinstance(block, Table)]
        for number, table in enumerate(tables, start=1):
            path = folder / f"{section.anchor}_{number}.csv"
            with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerows([[table.caption], table.header, *table.rows])
            written.append(path)
    return written

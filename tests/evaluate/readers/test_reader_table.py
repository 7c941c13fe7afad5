from pathlib import Path

import numpy as np
import pytest

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.readers.reader_table import read_readers

HEADER = "case,reader,truth,call,score,arm\n"
ROWS = [
    "a,R1,1,1,0.9,without", "b,R1,0,0,0.2,without", "a,R2,1,0,0.4,without", "b,R2,0,1,0.6,without",
    "b,R1,0,1,0.7,with", "a,R1,1,1,0.8,with", "a,R2,1,1,0.5,with", "b,R2,0,0,0.1,with",
    "a,AI,1,1,0.99,", "b,AI,0,0,0.01,",
]  # fmt: skip


def table(folder: Path, rows: list[str], header: str = HEADER) -> Path:
    path = folder / "readings.csv"
    path.write_text(header + "\n".join(rows) + "\n")
    return path


def test_rows_find_their_place(tmp_path: Path) -> None:
    found = read_readers(table(tmp_path, ROWS), score="score", arm="arm", machine="AI")
    assert found.readers == ("R1", "R2")
    assert list(found.arms) == ["without", "with"]
    assert found.label.tolist() == [True, False]
    assert found.arms["with"].calls.tolist() == [["1", "1"], ["1", "0"]]
    assert found.arms["with"].scores is not None
    assert found.arms["with"].scores.tolist() == [[0.8, 0.7], [0.5, 0.1]]
    assert found.machine is not None
    assert found.called(found.machine).tolist() == [[True, False]]


def test_the_order_of_rows_decides_order_only(tmp_path: Path) -> None:
    one = read_readers(table(tmp_path, ROWS), arm="arm", machine="AI")
    other = read_readers(table(tmp_path, ROWS[::-1]), arm="arm", machine="AI")
    assert np.array_equal(other.arms["with"].calls[::-1, ::-1], one.arms["with"].calls)
    assert other.truth.tolist() == one.truth.tolist()[::-1]


@pytest.mark.parametrize(
    ("rows", "words", "told"),
    [
        (ROWS[:-1], {}, "arm of the machine: 0 readings occur twice and 1 are missing"),
        ([*ROWS, ROWS[0]], {}, "arm without: 1 readings occur twice and 0 are missing"),
        ([*ROWS[:-1], "b,AI,1,0,0.01,"], {}, "1 cases have two truths"),
        ([*ROWS[:-1], "b,AI,0,,0.01,"], {}, "row 11 column call: got '', wanted the call"),
        ([*ROWS, "a,R3,1,1,0.5,"], {}, "the arm is blank in 1 readings"),
        (ROWS, {"machine": "HCCNet"}, "no reader is HCCNet; there are R1, R2, AI"),
        (ROWS[-2:], {}, "the machine is the only reader"),
        (ROWS, {"positive": "hcc"}, "truth is 1, 0, wanted 'hcc' .* with --positive"),
        (
            ["a,R1,1,hcc,0.9,w", "b,R1,0,cyst,0.2,w"],
            {"machine": None},
            "R1 writes 'hcc', 'cyst' in 2 readings, wanted 1 or 0",
        ),
        (
            ["a,R1,hcc,hcc,1,w", "b,R1,icc,icc,1,w", "a,R2,hcc,Hcc,1,w", "b,R2,icc,icc,1,w"],
            {"machine": None, "positive": "hcc"},
            "R2 writes 'Hcc' in 1 readings, wanted hcc or icc, the words of the truth; correct the calls",
        ),
        (ROWS, {"reader": "Reader"}, "did you mean reader"),
        ([*ROWS[:-1], "b,AI,0,0,high,"], {"score": "score"}, "row 11 column score: got 'high'"),
    ],
)
def test_faults_are_told(tmp_path: Path, rows: list[str], words: dict[str, str | None], told: str) -> None:
    with pytest.raises(EvaluationError, match=told):
        read_readers(table(tmp_path, rows), **({"arm": "arm", "machine": "AI"} | words))


def test_numbers_are_compared_as_numbers(tmp_path: Path) -> None:
    """A reader whose spreadsheet wrote 1.0 for 1 is as good as the others."""
    rows = [row.replace(",R2,1,0,", ",R2,1.0,0.0,").replace(",R2,0,1,", ",R2,0,1.0,") for row in ROWS]
    one, other = (
        read_readers(table(tmp_path, each), arm="arm", machine="AI", positive=positive)
        for each, positive in ((ROWS, "1"), (rows, "1.0"))
    )
    for arm in one.arms:
        assert one.arms[arm].calls.tolist() == other.arms[arm].calls.tolist()
    assert one.label.tolist() == other.label.tolist()


ADVISED = "case,reader,truth,call,arm,shown\n"


def test_advice_is_read_where_it_was_shown(tmp_path: Path) -> None:
    rows = ["a,R1,1,1,w,", "b,R1,0,0,w,", "a,R1,1,1,x,1.0", "b,R1,0,1,x,1"]
    found = read_readers(table(tmp_path, rows, ADVISED), arm="arm", advice="shown")
    assert found.arms["w"].advice is None
    assert found.arms["x"].advice is not None
    assert found.arms["x"].advice.tolist() == [["1", "1"]]
    with pytest.raises(EvaluationError, match=r"advice: R1 writes 'hcc' in 1 readings, wanted 1 or 0"):
        read_readers(table(tmp_path, [*rows[:3], "b,R1,0,1,x,hcc"], ADVISED), arm="arm", advice="shown")


def test_a_column_a_reader_is_a_row_a_reading(tmp_path: Path) -> None:
    wide = table(tmp_path, ["a,1,1,0,1", "b,0,0,1,0"], "case,truth,R1,R2,AI\n")
    found = read_readers(wide, machine="AI")
    assert found.readers == ("R1", "R2")
    assert found.arms["all readings"].calls.tolist() == [["1", "0"], ["0", "1"]]
    assert found.machine is not None
    assert found.machine.calls.tolist() == [["1", "0"]]
    armed = table(tmp_path, ["a,1,w,1", "b,0,w,0", "a,1,x,1", "b,0,x,1"], "case,truth,arm,R1\n")
    assert read_readers(armed, arm="arm").arms["x"].calls.tolist() == [["1", "1"]]
    with pytest.raises(EvaluationError, match="age writes '63', '48' in 2 readings"):
        read_readers(table(tmp_path, ["a,1,1,63", "b,0,0,48"], "case,truth,R1,age\n"))


NEW = "case,reader,truth,call,arm,set\n"
OLD_ROWS = [f"{case},{reader},{truth},{truth},{arm},old" for arm in "wx" for reader in ("R1", "R2")
            for case, truth in (("a", 1), ("b", 0))]  # fmt: skip
NEW_ROWS = [f"{case},{reader},{truth},1,x,new" for reader in ("R1", "R2") for case, truth in (("c", 1), ("d", 0))]


def test_cases_of_the_second_arm_alone_are_kept_apart(tmp_path: Path) -> None:
    found = read_readers(table(tmp_path, [*OLD_ROWS, *NEW_ROWS], NEW), arm="arm", cases="set")
    assert found.truth.tolist() == ["1", "0"]
    assert found.new is not None
    assert found.new.arms["x"].calls.tolist() == [["1", "1"], ["1", "1"]]
    first = [each.replace(",x,new", ",w,new") for each in NEW_ROWS]
    with pytest.raises(EvaluationError, match="were read in w by 2 readers, wanted the second of two arms alone"):
        read_readers(table(tmp_path, [*OLD_ROWS, *first], NEW), arm="arm", cases="set")
    with pytest.raises(EvaluationError, match="set has 1 words, wanted two"):
        read_readers(table(tmp_path, OLD_ROWS, NEW), arm="arm", cases="set")

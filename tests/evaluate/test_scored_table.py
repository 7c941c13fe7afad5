from pathlib import Path

import pytest

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.scored_table import read_binary, read_survival


def written(folder: Path, text: str) -> Path:
    path = folder / "scores.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_sound_binary_table(tmp_path: Path) -> None:
    path = written(tmp_path, "patient,recurred,risk,note\nNone,1,0.9,\nB,0,1e-1,x\n")
    table = read_binary(path, label="recurred", score="risk", group="patient")
    assert table.label.tolist() == [1, 0]
    assert table.score.tolist() == [0.9, 0.1]
    assert table.group is not None
    assert table.group.tolist() == ["None", "B"]
    assert read_binary(path, label="recurred", score="risk").group is None


def test_a_sound_survival_table(tmp_path: Path) -> None:
    path = written(tmp_path, "months,event,risk\n0,1,-3\n12.5,0,4\n")
    table = read_survival(path, time="months", event="event", score="risk")
    assert (table.time.tolist(), table.event.tolist(), table.score.tolist()) == ([0, 12.5], [1, 0], [-3, 4])


@pytest.mark.parametrize(
    ("text", "complaints"),
    [
        ("recured,risk\n1,0.2\n", ["has no column recurred; did you mean recured?"]),
        ("a,b\n1,0.2\n", ["has no column recurred; it has a, b", "has no column risk; it has a, b"]),
        ("recurred,risk\n1,0.2\n,0.3\n2,high\n0,inf\n", [
            "scores.csv rows 3, 4 column recurred: got '', '2', wanted 0 (no event) or 1 (event)",
            "rows 4, 5 column risk: got 'high', 'inf', wanted a number",
        ]),
        ("recurred,risk\nyes,0.2\nNone,nan\n", ["rows 2, 3 column recurred: got 'yes', 'None'", "row 3 column risk"]),
        ("recurred,risk\n1,0.2\n1,0.3\n", ["column recurred: is 1 in all 2 rows, wanted rows with 0 and rows with 1"]),
        ("recurred,risk\n" + "1,\n" * 9, ["rows 2, 3, 4, 5, 6 and 4 more column risk: got ''"]),
        ("recurred,risk\n", ["has no rows"]),
        ("", ["is empty"]),
        ("recurred,risk\n1,0.2,7\n", ["row 2: got 3 cells, wanted 2"]),
    ],
)  # fmt: skip
def test_every_fault_of_a_binary_table_is_told_at_once(tmp_path: Path, text: str, complaints: list[str]) -> None:
    with pytest.raises(EvaluationError) as caught:
        read_binary(written(tmp_path, text), label="recurred", score="risk")
    assert "scores.csv" in str(caught.value)
    for complaint in complaints:
        assert complaint in str(caught.value)


def test_every_fault_of_a_survival_table_is_told_at_once(tmp_path: Path) -> None:
    text = "months,event,risk\n-1,1,0.1\n,-2,0.2\n3,died,\n4,,0.4\n"
    with pytest.raises(EvaluationError) as caught:
        read_survival(written(tmp_path, text), time="months", event="event", score="risk")
    for complaint in (
        "scores.csv rows 2, 3 column months: got '-1', '', wanted a time of 0 or more",
        "scores.csv rows 3, 4, 5 column event: got '-2', 'died', '', wanted 1 (happened), 0 (censored) or from 2 on a"
        " competing event",
        "scores.csv row 4 column risk: got '', wanted a number",
    ):
        assert complaint in str(caught.value)


def test_follow_up_without_events_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="column event: is 1 in none of 2 rows"):
        read_survival(written(tmp_path, "t,event,s\n1,0,1\n2,0,2\n"), time="t", event="event", score="s")


def test_a_blank_patient_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="row 3 column id: got '', wanted the patient of the row"):
        read_binary(written(tmp_path, "id,y,s\na,1,1\n,0,2\n"), label="y", score="s", group="id")


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\xff\xfe\x00", b"\xff\xfe\x00"])
def test_a_file_that_is_no_table_is_one_clear_fault(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "slide.svs"
    path.write_bytes(content)
    with pytest.raises(EvaluationError, match="is not a readable UTF-8 CSV table"):
        read_binary(path, label="y", score="s")


def test_a_missing_file_and_a_folder_are_one_clear_fault(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.csv", tmp_path):
        with pytest.raises(EvaluationError, match="is not a file; wanted a CSV table"):
            read_binary(path, label="y", score="s")

"""DeLong: our paired test of two AUROCs against MLstatkit's, on the same patients in the same run.

    .venv/bin/python benchmarks/delong.py

Both give the two AUROCs with their intervals and the P value of the difference. Prints seconds (medians of ROUNDS) for
1e4 and 1e5 patients, and checks that the numbers agree. MLstatkit gets an environment of its own on the first run.
"""

import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from peers import environment

from hepatica.evaluate import auroc, compare_auroc

ROUNDS = 7

PEER = """
import json, sys, time
import numpy as np
from MLstatkit import Delong_test

label, score_a, score_b = np.load(sys.argv[1])
label = label.astype(int)
for _ in sys.stdin:
    begin = time.perf_counter()
    z, p, ci_a, ci_b, auc_a, auc_b, info = Delong_test(label, score_a, score_b)
    print(json.dumps([time.perf_counter() - begin, float(auc_a), float(auc_b), float(p)]), flush=True)
"""


def ours(label: np.ndarray, score_a: np.ndarray, score_b: np.ndarray) -> list[float]:
    """Seconds, both AUROCs and the P value."""
    begin = time.perf_counter()
    a, b = auroc(label, score=score_a), auroc(label, score=score_b)
    p = compare_auroc(label, score_a=score_a, score_b=score_b).p
    return [time.perf_counter() - begin, a.value, b.value, p]


def theirs(process: "subprocess.Popen[str]") -> list[float]:
    """The same from the peer, which times itself, so that talking to it costs nothing."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    answer: Any = json.loads(process.stdout.readline())
    return list(answer)


def patients(number: int) -> np.ndarray:
    """(3, n) labels of 30 % with the event, and two scores that differ little."""
    rng = np.random.default_rng(0)
    label = rng.random(number) < 0.3
    common = label + rng.normal(size=number)
    return np.stack([label, common + 0.3 * rng.normal(size=number), common + 0.32 * rng.normal(size=number)])


def compare(number: int, python: Path) -> None:
    """Time both in turn, round by round, so that a busy machine troubles them alike."""
    table = patients(number)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "patients.npy"
        np.save(path, table)
        command = [str(python), "-c", PEER, str(path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            rounds = [(ours(table[0] == 1, table[1], table[2]), theirs(process)) for _ in range(ROUNDS + 1)][1:]
            process.communicate()
    apart = np.abs(np.subtract(rounds[0][0][1:], rounds[0][1][1:])).max()
    if apart > 1e-9:
        raise SystemExit(f"disagreement by {apart}: ours {rounds[0][0][1:]}, MLstatkit {rounds[0][1][1:]}")
    mine, other = (statistics.median(each[side][0] for each in rounds) for side in (0, 1))
    print(
        f"paired DeLong, n = {number:.0e}: ours {mine:.4f} s, peer {other:.4f} s (MLstatkit), ratio {other / mine:.1f},"
        f" AUROCs and P agree within {apart:.0e}"
    )


if __name__ == "__main__":
    peer = environment("mlstatkit", "MLstatkit==0.1.91")
    for size in (10_000, 100_000):
        compare(size, peer)

"""Parent: a process does not outlive the one that began it, not even where that has died before it looked."""

import os
import subprocess
import sys
import time

import pytest
from processes import is_running

CHILD = "import sys, time; from hepatica.learn.parent import end_with; time.sleep({late})\n"
CHILD += "end_with(int(sys.argv[1])); {late} or print('ready', flush=True); time.sleep(60)"
PARENT = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], str(os.getpid())])
print(child.pid, flush=True)
child.wait()
"""


@pytest.mark.parametrize("ready", [False, True])
def test_a_process_ends_with_its_parent(ready: bool) -> None:
    command = [sys.executable, "-c", PARENT, CHILD.format(late=0 if ready else 1)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        if ready:
            assert parent.stdout.readline() == "ready\n"
        assert is_running(child)
        parent.kill()
    until = time.monotonic() + 40
    while is_running(child) and time.monotonic() < until:
        time.sleep(0.05)
    left = is_running(child)
    if left:
        os.kill(child, 9)
    assert not left


def test_a_process_goes_on_with_its_parent() -> None:
    code = f"import time; from hepatica.learn.parent import end_with; end_with({os.getpid()}); time.sleep(1); print(1)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "1\n"

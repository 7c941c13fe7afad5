"""Launch: one training by several processes, by torchrun; a process that dies lets all begin again where they were."""

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from hepatica.cohort.errors import UnavailableError

RESTARTS = 3
"""Times that all processes are begun anew after one has died (ours)."""

_SAFE = {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}  # else restarts may hang on stale addresses (pytorch issue 135712)

_ENDS = "import os; from hepatica.learn.parent import end_with; end_with({parent})\n"
_TORCHRUN = "os.environ['HEPATICA_TORCHRUN'] = str(os.getpid()); from torch.distributed.run import main; main()"


def launch(code: str, *, processes: int) -> None:
    """Run Python code in several processes of this machine that `fit` finds itself in.

    They speak by gloo, or NCCL where there are GPUs, and end with this process, however that ends. UnavailableError
    where they died more often than `RESTARTS`, or one ended with an error, which it has printed.
    """
    words = [
        *(sys.executable, "-c", _ENDS.format(parent=os.getpid()) + _TORCHRUN),
        *("--nnodes=1", f"--nproc-per-node={processes}", "--rdzv-backend=c10d", "--rdzv-endpoint=127.0.0.1:0"),
        *("--local-addr=127.0.0.1", f"--max-restarts={RESTARTS}", "--no-python"),
        *(sys.executable, "-c", _ENDS.format(parent="int(os.environ['HEPATICA_TORCHRUN'])") + code),
    ]
    with subprocess.Popen(words, env=os.environ | _SAFE) as running:
        try:
            ended = running.wait()
        finally:
            running.terminate()
    if ended:
        raise UnavailableError(
            f"training by {processes} processes ended with code {ended}; see what they printed. The same command goes"
            " on where it was; without --processes one process does"
        )


def of_ranks() -> Mapping[str, Any]:
    """Flags of Lightning's Trainer in a process that `launch`, or torchrun, has begun; none in any other."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return {}
    world, here = int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_WORLD_SIZE"])
    # Of a network's several outputs the loss may take one: what leads to the others alone has no gradient.
    return {"devices": here, "num_nodes": world // here, "strategy": "ddp_find_unused_parameters_true"}

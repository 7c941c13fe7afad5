from pathlib import Path

import torch

from hepatica.learn.checkpoint import SafeCheckpoints


def test_lightnings_interface_writes_reads_and_removes(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    files = SafeCheckpoints()
    files.save_checkpoint({"epoch": 3, "state": {0: torch.ones(2)}}, path)
    loaded = files.load_checkpoint(str(path), map_location="cpu", weights_only=False)
    assert loaded["epoch"] == 3
    assert loaded["state"][0].tolist() == [1, 1]
    files.remove_checkpoint(path)
    files.remove_checkpoint(path)
    assert not path.exists()

from pathlib import Path


def test_phantom_pictures_are_trained_on_and_their_nuclei_found(hepatica, tmp_path: Path) -> None:
    assert hepatica("nuclei", "phantom", tmp_path / "p", "--pictures", 4).returncode == 0
    tiny = [word for pair in ("width=2", "side=64", "crops=4", "epochs=1", "test=0.5") for word in ("--set", pair)]
    done = hepatica("nuclei", "train", tmp_path / "p", "--run", tmp_path / "run", *tiny)
    assert done.returncode == 0
    assert "| AJI |" in done.stdout
    assert "Setting" not in done.stdout
    found = hepatica("nuclei", "find", tmp_path / "p" / "0000.png", "--mpp", 0.5, "--out", tmp_path / "out")
    assert found.returncode == 0
    assert "specimen 1:" in found.stdout
    assert (tmp_path / "out" / "summary.csv").exists()


def test_detections_of_one_slide_cannot_be_those_of_two(hepatica, tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "d.json"):
        (tmp_path / name).touch()
    words = ("--out", tmp_path / "out", "--detections", tmp_path / "d.json")
    done = hepatica("nuclei", "find", tmp_path / "a.png", tmp_path / "b.png", *words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "one slide" in done.stderr

"""TLS: each side proves who it is, and a real archive is encrypted with both ways."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from dicom_images import ct_files
from orthanc import Orthanc, free_port
from services import program

from hepatica.cohort import SettingsError, UnavailableError
from hepatica.serve.node.c_store import c_store
from hepatica.serve.node.receiver import Receiver
from hepatica.serve.node.settings import Archive, NodeSettings, Tls
from hepatica.serve.node.spool import Spool

pytestmark = pytest.mark.xdist_group("trained_ct")  # archives in one process


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Certificate and key of localhost, and those of somebody else."""
    folder, openssl = tmp_path_factory.mktemp("pems"), program("openssl")
    for name in ("ours", "theirs"):
        words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
        words += [
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.pem",
        ]
        subprocess.run([openssl, *words], cwd=folder, check=True, capture_output=True)
    return {path.name: path for path in folder.iterdir()}


def test_tls_proves_both_sides(pems: dict[str, Path], tmp_path: Path) -> None:
    ours = {"certificate": pems["ours.pem"], "key": pems["ours.key"]}
    theirs = {"certificate": pems["theirs.pem"], "key": pems["theirs.key"]}
    node = NodeSettings(
        callers=("PACS",), rules=(), port=0, free_gib=0.0, host="localhost", tls=Tls(**ours, ca=pems["ours.pem"])
    )
    receiver, files = Receiver(node, Spool(tmp_path / "spool")), ct_files(tmp_path / "study", 1)
    receiver.start()

    def stored(tls: Tls | None) -> int:
        at = Archive(title="HEPATICA", host="localhost", port=receiver.port, tls=tls)
        return c_store(files, archive=at, title="PACS").stored

    try:
        assert stored(Tls(**ours, ca=pems["ours.pem"])) == 1
        for wrong in (None, Tls(ca=pems["ours.pem"]), Tls(**theirs, ca=pems["ours.pem"]), Tls(**ours)):
            with pytest.raises(UnavailableError):
                stored(wrong)
    finally:
        receiver.stop()
    (path,) = (tmp_path / "spool").rglob("[0-9a-f]*.dcm")
    assert pydicom.dcmread(path).SOPInstanceUID == pydicom.dcmread(files[0]).SOPInstanceUID


def test_a_real_archive_is_encrypted_with_both_ways(pems: dict[str, Path], tmp_path: Path) -> None:
    ours = {"certificate": pems["ours.pem"], "key": pems["ours.key"], "ca": pems["ours.pem"]}
    orthanc = Orthanc(
        program=program("Orthanc"), folder=tmp_path / "orthanc", node_port=free_port(), stow_port=1, token="-", tls=ours
    ).start()
    node = NodeSettings(callers=("ORTHANC",), rules=(), port=orthanc.node_port, free_gib=0.0, tls=Tls(**ours))
    receiver, files = Receiver(node, Spool(tmp_path / "spool")), ct_files(tmp_path / "study", 3)
    receiver.start()
    try:
        at = Archive(title="ORTHANC", host="127.0.0.1", port=orthanc.port, tls=Tls(**ours))
        assert c_store(files, archive=at, title="HEPATICA").stored == 3
        with pytest.raises(UnavailableError):
            c_store(files, archive=replace(at, tls=None), title="HEPATICA")
        orthanc.post("modalities/hepatica/store", {"Resources": orthanc.get("studies"), "Synchronous": True})
    finally:
        receiver.stop()
        orthanc.kill()
    assert len(list((tmp_path / "spool").rglob("[0-9a-f]*.dcm"))) == 3


@pytest.mark.parametrize("use", [Tls.server, Tls.client])
def test_files_that_cannot_be_used_are_named(pems: dict[str, Path], use: Callable[[Tls], object]) -> None:
    for given in ({"certificate": Path("no.pem")}, {"certificate": pems["ours.pem"], "key": pems["theirs.key"]}):
        with pytest.raises(SettingsError, match=r"\.pem"):
            use(Tls(**given))
    with pytest.raises(SettingsError, match=r"no\.pem"):
        use(Tls(certificate=pems["ours.pem"], key=pems["ours.key"], ca=Path("no.pem")))
    with pytest.raises(SettingsError, match="without a certificate"):
        Tls().server()

"""Orthanc: a real archive of images on free ports of this machine, which a test may start, kill and start again."""

import json
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

PLUGIN = "libOrthancDicomWeb.so"
PLUGINS = [Path(folder, PLUGIN) for folder in ("/usr/share/orthanc/plugins", "/usr/lib/orthanc")]


def free_port() -> int:
    """A port of the loopback device that nobody listens at now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Orthanc:
    """An archive titled ORTHANC with DICOMweb at `web`; it knows a node HEPATICA at `node_port`, and at `stow_port`
    with a token.
    """

    program: str
    folder: Path
    node_port: int
    stow_port: int
    token: str
    port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    tls: dict[str, Path] | None = None
    """Files `certificate`, `key` and `ca`, where DICOM is to be encrypted both ways."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def web(self) -> str:
        return f"http://127.0.0.1:{self.http_port}/dicom-web"

    def start(self) -> "Orthanc":
        """Return once it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "orthanc.json"
        path.write_text(json.dumps(self._settings()))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([self.program, str(path)], stdout=log, stderr=log)
        for _ in range(200):
            try:
                httpx.get(f"http://127.0.0.1:{self.http_port}/system", timeout=1)
                return self
            except httpx.TransportError:
                time.sleep(0.05)
        raise TimeoutError((self.folder / "log").read_text()[-2000:])

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(20)
            self.process = None

    def get(self, path: str) -> Any:
        return httpx.get(f"http://127.0.0.1:{self.http_port}/{path}", timeout=20).raise_for_status().json()

    def post(self, path: str, content: object) -> Any:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        answer = httpx.post(f"http://127.0.0.1:{self.http_port}/{path}", content=body, timeout=60)
        return answer.raise_for_status().json()

    def content(self, key: str) -> bytes:
        """The file of an object."""
        return httpx.get(f"http://127.0.0.1:{self.http_port}/instances/{key}/file", timeout=20).content

    def instances(self) -> dict[str, bytes]:
        """Every object by its SOP Instance UID: the bytes of its file."""
        found = {each["MainDicomTags"]["SOPInstanceUID"]: each["ID"] for each in self.get("instances?expand")}
        return {uid: self.content(key) for uid, key in found.items()}

    def _settings(self) -> dict[str, object]:
        plugin = next((path for path in PLUGINS if path.exists()), PLUGINS[0])
        server = {
            "Url": f"http://127.0.0.1:{self.stow_port}/dicom-web/",
            "HttpHeaders": {"Authorization": f"Bearer {self.token}"},
        }
        tls = {} if self.tls is None else {
            "DicomTlsEnabled": True, "DicomTlsCertificate": str(self.tls["certificate"]),
            "DicomTlsPrivateKey": str(self.tls["key"]), "DicomTlsTrustedCertificates": str(self.tls["ca"]),
        }  # fmt: skip
        node = {"AET": "HEPATICA", "Host": "127.0.0.1", "Port": self.node_port, "UseDicomTls": self.tls is not None}
        return tls | {
            "StorageDirectory": str(self.folder / "storage"), "IndexDirectory": str(self.folder / "storage"),
            "HttpPort": self.http_port, "DicomPort": self.port, "DicomAet": "ORTHANC", "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False, "DicomCheckCalledAet": True, "Plugins": [str(plugin)],
            "DicomModalities": {"hepatica": node},
            "DicomWeb": {"Enable": True, "Servers": {"hepatica": server}},
        }  # fmt: skip

"""Receiver: what senders connect to by DICOM, for C-ECHO and C-STORE."""

import logging
import shutil
import warnings
from collections import Counter
from typing import Any

from pynetdicom import AE, build_context, evt
from pynetdicom.presentation import AllStoragePresentationContexts

from hepatica.cohort.errors import SpecimenError
from hepatica.serve.node.received import SYNTAXES, name_of_uid, of_dataset
from hepatica.serve.node.settings import NodeSettings
from hepatica.serve.node.spool import Spool

LOG = logging.getLogger(__name__)

VERIFICATION = "1.2.840.10008.1.1"
"""C-ECHO."""

STORED, NO_SPACE, NOT_UNDERSTOOD, MISMATCH = 0x0000, 0xA700, 0xC000, 0xA900
"""Status of a C-STORE (PS3.4 B.2.3)."""

LARGEST_PDU = 2**18
"""Bytes of a message's piece that we ask for; what claims to be larger ends the connection."""

PATIENCE_S = 60
"""Seconds that a sender may be silent within a piece, or between two. Ours."""

_ANSWERS = {3: "class not supported", 4: "transfer syntax not supported"}
"""Why a presentation context is refused (PS3.8 9.3.3.2)."""


def quieten() -> None:
    """Silence what libraries say of their own accord: it has UIDs, addresses with UIDs, values and whole data sets."""
    warnings.filterwarnings("ignore", module=r"pydicom|pynetdicom")
    for name in ("pynetdicom", "httpx", "httpcore", "pydicom", "python_multipart"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


class Receiver:
    """Listens from `start` until `stop`; `port` is the one it listens at, where the settings leave the choice (0)."""

    def __init__(self, settings: NodeSettings, spool: Spool) -> None:
        self.settings, self.spool, self.port = settings, spool, settings.port
        self._server: Any = None
        self._counts: dict[Any, Counter[str]] = {}
        self._sockets: dict[Any, Any] = {}

    def start(self) -> None:
        """Open the port; OSError where it is taken, SettingsError for TLS files that cannot be used."""
        quieten()
        entity = AE(ae_title=self.settings.title)
        entity.require_called_aet, entity.require_calling_aet = True, list(self.settings.callers)
        entity.network_timeout = PATIENCE_S
        entity.maximum_associations, entity.maximum_pdu_size = self.settings.associations, LARGEST_PDU
        entity.supported_contexts = [
            build_context(VERIFICATION),
            *(build_context(str(each.abstract_syntax), list(SYNTAXES)) for each in AllStoragePresentationContexts),
        ]
        tls = self.settings.tls
        self._server = entity.start_server(
            (self.settings.host, self.settings.port),
            block=False,
            ssl_context=None if tls is None else tls.server(),
            evt_handlers=self._handlers(),
        )
        self.port = self._server.server_address[1]

    def stop(self) -> None:
        """Close the port and end what is connected; objects that are not acknowledged stay with their sender."""
        self._server.shutdown()

    def _handlers(self) -> Any:
        return [
            (evt.EVT_CONN_OPEN, self._opened), (evt.EVT_REJECTED, self._rejected), (evt.EVT_ACCEPTED, self._accepted),
            (evt.EVT_C_STORE, self._store), (evt.EVT_CONN_CLOSE, self._closed),
            (evt.EVT_ABORTED, self._aborted),
        ]  # fmt: skip

    def _opened(self, event: Any) -> None:
        self._counts[event.assoc], self._sockets[event.assoc] = Counter(), event.assoc.dul.socket.socket
        _bound(event.assoc, int(self.settings.largest_gib * 2**30))

    def _rejected(self, event: Any) -> None:
        LOG.warning("refused an association: it calls itself %s", _title(event))

    def _accepted(self, event: Any) -> None:
        for context in event.assoc.rejected_contexts:
            kind = name_of_uid(context.abstract_syntax)
            offered = ", ".join(name_of_uid(each) for each in context.transfer_syntax)
            why = _ANSWERS.get(context.result, f"reason {context.result}")
            LOG.warning("%s: refused %s in %s: %s", _title(event), kind, offered or "the syntaxes offered", why)

    def _store(self, event: Any) -> int:
        status, word = self._status(event)
        if (counts := self._counts.get(event.assoc)) is not None:
            counts[word] += 1
        return status

    def _status(self, event: Any) -> tuple[int, str]:
        """The answer to an object, and under what it is counted; never raises, for the library would log why."""
        title = _title(event)
        try:
            found = of_dataset(
                event.encoded_dataset(include_meta=False), syntax=str(event.context.transfer_syntax), caller=title
            )
            if (found.instance, found.sop_class) != (
                str(event.request.AffectedSOPInstanceUID), str(event.request.AffectedSOPClassUID)
            ):  # fmt: skip
                LOG.warning("%s: refused an object that is not the one announced", title)
                return MISMATCH, "refused"
            if not room(self.spool, free_gib=self.settings.free_gib):
                LOG.error("%s: refused an object, the disk is full", title)
                return NO_SPACE, "refused"
            return STORED, "stored" if self.spool.store(found) else "known already"
        except SpecimenError as error:
            LOG.warning("%s: refused an object: %s", title, error)
            return NOT_UNDERSTOOD, "refused"
        except OSError as error:
            LOG.error("%s: refused an object, it cannot be written (%s)", title, error.strerror)
            return NO_SPACE, "refused"
        except Exception as error:
            LOG.error("%s: refused an object, a fault of hepatica (%s)", title, type(error).__name__)
            return NOT_UNDERSTOOD, "refused"

    def _aborted(self, event: Any) -> None:
        LOG.warning("%s: the association broke off; what was acknowledged is kept", _title(event))

    def _closed(self, event: Any) -> None:
        if (socket := self._sockets.pop(event.assoc, None)) is not None:
            socket.close()  # pynetdicom 3.0.4 leaves it to the garbage collector where the other side went first
        if counts := self._counts.pop(event.assoc, None):
            LOG.info("%s: %s", _title(event), ", ".join(f"{word} {count}" for word, count in counts.items()))


def room(spool: Spool, *, free_gib: float) -> bool:
    """Whether the disk has the space that must stay free."""
    return shutil.disk_usage(spool.folder).free >= free_gib * 2**30


def _title(event: Any) -> str:
    """The AE title of who calls, of which the log gets nothing that could end a line."""
    title = str(getattr(event.assoc.requestor.primitive, "calling_ae_title", None) or "unnamed")
    return title.strip().encode("ascii", "replace").decode() if title.isprintable() else "unprintable"


def _bound(association: Any, largest: int) -> None:
    """End the connection where a piece claims more than was asked for, or pieces grow beyond the largest object."""
    socket = association.dul.socket
    socket.socket.settimeout(PATIENCE_S)
    recv, limit = socket.recv, LARGEST_PDU + 1024

    def bounded(count: int) -> bytearray:
        message = association.dimse.message
        held = message.data_set.tell() if message is not None and message.data_set is not None else 0
        if count > limit or held > largest:
            LOG.warning("ended a connection: it sent a piece or an object that is too large")
            raise ConnectionAbortedError
        return bytearray(recv(count))

    socket.recv = bounded

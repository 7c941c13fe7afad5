"""Pseudonym: other names, UIDs and dates for the real ones, the same for the same key, beyond guessing without it."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from pydicom import Dataset

from hepatica.cohort.errors import SettingsError

LEAST_KEY = 16
"""Bytes of a key: 128 bits, beyond trying out."""

FARTHEST = 3650  # ours
"""Days by which a patient's dates are set back at the most; at the least one."""

STANDARD = "1.2.840.10008."
"""Root of the UIDs that the standard itself gives out (PS3.6); they identify nobody and keep their meaning."""


@dataclass(frozen=True, kw_only=True)
class Pseudonyms:
    """Gives the same other name for the same name; the key is the secret that links the two."""

    key: bytes = field(repr=False)

    def uid(self, uid: str) -> str:
        """Another UID (root 2.25, PS3.5 B.2); blank stays blank, and one of the standard stays what it is."""
        if not uid or uid.startswith(STANDARD):
            return uid
        return f"2.25.{int.from_bytes(self._digest('uid', uid)[:16])}"

    def name(self, *words: str) -> str:
        """16 letters and digits for the words, fit for a file's name."""
        return self._digest("name", *words).hex()[:16]

    def patient(self, dataset: Dataset) -> str:
        """The patient's pseudonym, by his ID and who gave it; where there is none, by name and date of birth."""
        said = [str(dataset.get(each) or "") for each in ("PatientID", "IssuerOfPatientID")]
        if not said[0]:
            said = [str(dataset.get(each) or "") for each in ("PatientName", "PatientBirthDate")]
        return f"P-{self.name('patient', *said)}"

    def shifted(self, day: date, *, patient: str) -> date:
        """A day set back by 1 to FARTHEST days, as many for each day of one patient."""
        return day - timedelta(days=1 + int.from_bytes(self._digest("days", patient)[:8]) % FARTHEST)

    def _digest(self, *words: str) -> bytes:
        return hmac.digest(self.key, "\0".join(words).encode(), hashlib.sha256)


def pseudonyms(key: Path | None) -> Pseudonyms:
    """By the key in a file, or, without one, by a secret nobody keeps, which makes another name at each call.

    SettingsError when the file is not there or holds fewer than LEAST_KEY bytes.
    """
    if key is None:
        return Pseudonyms(key=secrets.token_bytes(32))
    if not key.is_file() or key.stat().st_size < LEAST_KEY:
        raise SettingsError(
            f"got the key {key}, wanted a file of {LEAST_KEY} random bytes or more: head -c 32 /dev/urandom > {key}"
        )
    return Pseudonyms(key=key.read_bytes())

"""Confidentiality: DICOM's profile for removing what identifies a patient, and the pseudonyms that replace it."""

import hashlib
import hmac
import re
import secrets
import tomllib
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import FileMetaDataset
from pydicom.tag import BaseTag

from hepatica.cohort.errors import SettingsError

LEAST_KEY = 16
"""Bytes of a key: 128 bits, beyond trying out."""

FARTHEST = 3650  # ours
"""Days by which a patient's dates are set back at the most; at the least one."""

STANDARD = "1.2.840.10008."
"""Root of the UIDs that the standard itself gives out (PS3.6); they identify no patient and are kept."""


@dataclass(frozen=True, kw_only=True)
class Pseudonyms:
    """Gives the same pseudonym for the same name; the key is the secret that links the two."""

    key: bytes = field(repr=False)

    def uid(self, uid: str) -> str:
        """Another UID (root 2.25, PS3.5 B.2); blank stays blank, and one of the standard stays what it is."""
        if not uid or uid.startswith(STANDARD):
            return uid
        return f"2.25.{int.from_bytes(self._digest('uid', uid)[:16])}"

    def name(self, *words: str) -> str:
        """16 letters and digits for the words, fit for a file's name."""
        return self._digest("name", *words).hex()[:16]

    def patient(self, *words: str) -> str:
        """The patient's pseudonym, by the words that `patients` has for them."""
        return f"P-{self.name('patient', *words)}"

    def shifted(self, day: date, *, patient: str) -> date:
        """A day set back by 1 to FARTHEST days, as many for each day of one patient."""
        return day - timedelta(days=1 + int.from_bytes(self._digest("days", patient)[:8]) % FARTHEST)

    def _digest(self, *words: str) -> bytes:
        return hmac.digest(self.key, "\0".join(words).encode(), hashlib.sha256)


def pseudonyms(key: Path | None) -> Pseudonyms:
    """By the key in a file, or, without one, by a secret that is not kept, so that names differ at each call.

    SettingsError when the file is not there or has fewer than LEAST_KEY bytes.
    """
    if key is None:
        return Pseudonyms(key=secrets.token_bytes(32))
    if not key.is_file() or key.stat().st_size < LEAST_KEY:
        raise SettingsError(
            f"got the key {key}, wanted a file of {LEAST_KEY} random bytes or more: head -c 32 /dev/urandom > {key}"
        )
    return Pseudonyms(key=key.read_bytes())


_TABLE = tomllib.loads(
    files("hepatica.radiology.deidentify").joinpath("confidentiality.toml").read_text(encoding="utf-8")
)

EDITION: str = _TABLE["edition"]
"""The edition of the standard whose table is followed."""

_CHOSEN = {"X/Z": "Z", "Z/D": "D", "X/D": "D", "X/Z/D": "D", "X/Z/U*": "U"}  # ours

ACTIONS: dict[int, str] = {
    int(tag.replace(",", ""), 16): _CHOSEN.get(action, action) for tag, action in _TABLE["actions"].items()
}
"""By tag: X remove, Z empty, D dummy, U map."""

_DUMMIES: dict[str, Any] = {
    **dict.fromkeys(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"), "REMOVED"),
    **dict.fromkeys(("DS", "IS", "US", "SS", "UL", "SL", "FL", "FD", "UV", "SV"), 0),
    **{"AS": "000Y", "DA": "19000101", "TM": "000000", "DT": "19000101000000", "UR": "http://removed.invalid"},
}  # ours
"""What replaces a value that must not be blank, by value representation; of other kinds the attribute is removed."""

_NOT_SHIFTED = {"PatientBirthDate", "PatientBirthTime"}
"""Kept by no option that modifies dates (table E.1-1, column "Rtn. Long. Modif. Dates Opt.")."""

_TIME = re.compile(r"[\d:.]*")
_DAY = re.compile(r"\d{8}[\d.+-]*")

_OVERLAYS_AND_CURVES = (0x5000, 0x6000)

_METHODS = {
    "113100": "Basic Application Confidentiality Profile",
    "113105": "Clean Descriptors Option",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
}
"""Codes of PS3.16 CID 7050, scheme DCM."""


def protect(
    dataset: Dataset, *, by: Pseudonyms, patient: str, shift_dates: bool = False, description: str | None = None
) -> None:
    """Remove, empty or replace, in place, whatever the profile names, in sequences at every depth.

    Private attributes, overlays, curves and attributes the dictionary does not know are removed. Dates and times are
    emptied or become 1900-01-01; with `shift_dates` a patient's dates are all set back alike and times stay. `patient`
    is the pseudonym, `description` a cleaned name of the series, None where none is kept. The file's meta information
    is rewritten, and the file records the de-identification.
    """
    _protect(dataset, by=by, patient=patient if shift_dates else None)
    dataset.PatientID = dataset.PatientName = patient
    if description:
        dataset.SeriesDescription = description
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = f"hepatica: basic profile, {EDITION}"
    options = {"113100": True, "113107": shift_dates, "113105": description is not None}
    dataset.DeidentificationMethodCodeSequence = [_method(value) for value, chosen in options.items() if chosen]
    dataset.LongitudinalTemporalInformationModified = "MODIFIED" if shift_dates else "REMOVED"
    _renew_meta(dataset)


def _method(value: str) -> Dataset:
    method = Dataset()
    method.CodeValue, method.CodingSchemeDesignator, method.CodeMeaning = value, "DCM", _METHODS[value]
    return method


def _renew_meta(dataset: Dataset) -> None:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta = meta
    dataset.preamble = bytes(128)


def _protect(dataset: Dataset, *, by: Pseudonyms, patient: str | None) -> None:
    """`patient` is whose dates are shifted, None where none are."""
    for tag in list(dataset.keys()):
        action = ACTIONS.get(tag) if _is_known(tag) else "X"
        if action == "X" and (patient is None or not _is_date(tag)):
            del dataset[tag]
            continue
        element = dataset[tag]
        if element.VR == "SQ":
            _protect_items(dataset, element, action, by=by, patient=patient)
        elif action is not None:
            value = _value(element, action, by=by, patient=patient)
            if value is None:
                del dataset[tag]
            else:
                dataset[tag] = DataElement(tag, element.VR, None if value == "" else value)


def _is_known(tag: BaseTag) -> bool:
    """In the dictionary, which has no private attribute, and no overlay, curve or length of a group (retired)."""
    return tag.element != 0 and tag.group & 0xFF00 not in _OVERLAYS_AND_CURVES and dictionary_has_tag(tag)


def _is_date(tag: BaseTag) -> bool:
    return _is_known(tag) and dictionary_VR(tag) in {"DA", "DT", "TM"}


def _protect_items(
    dataset: Dataset, element: DataElement, action: str | None, *, by: Pseudonyms, patient: str | None
) -> None:
    """There is no dummy of a sequence: it is removed instead."""
    if action == "D":
        del dataset[element.tag]
        return
    if action == "Z":
        element.value = []
    for item in element.value:
        _protect(item, by=by, patient=patient)


def _value(element: DataElement, action: str, *, by: Pseudonyms, patient: str | None) -> Any:
    """The new value; None where the attribute is to be removed."""
    if element.VR == "UI":
        several = element.value if element.VM > 1 else [element.value or ""]
        return None if action == "X" else [by.uid(str(each)) for each in several]
    if patient is not None and element.keyword not in _NOT_SHIFTED and _is_date(element.tag):
        return _shifted(element, by=by, patient=patient)
    return {"X": None, "Z": ""}.get(action, _DUMMIES.get(element.VR))


def _shifted(element: DataElement, *, by: Pseudonyms, patient: str) -> str:
    """One day or several set back and what follows the day kept, times as they are; blank where one is misspelt."""
    values = [str(each) for each in (element.value if element.VM > 1 else [element.value or ""])]
    if dictionary_VR(element.tag) == "TM":
        return "\\".join(values) if all(_TIME.fullmatch(each) for each in values) else ""
    try:
        days = [(datetime.strptime(each[:8], "%Y%m%d").date(), each[8:]) for each in values if _DAY.fullmatch(each)]
        shifted = [f"{by.shifted(day, patient=patient):%Y%m%d}{rest}" for day, rest in days]
    except (ValueError, OverflowError):
        return ""
    return "\\".join(shifted) if len(shifted) == len(values) else ""

"""Received: one DICOM object as it arrived, and which study it belongs to, before anything else of it is believed."""

from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from re import fullmatch

import pydicom
from pydicom import uid
from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_partial
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.dicom.frames import tolerant

SYNTAXES = (
    uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.RLELossless, uid.JPEG2000Lossless, uid.JPEG2000,
    uid.JPEGLSLossless, uid.JPEGLSNearLossless, uid.JPEGLosslessSV1, uid.JPEGLossless, uid.JPEGBaseline8Bit,
    uid.JPEGExtended12Bit,
)  # fmt: skip
"""Encodings that we can read, and take; deflated files are not among them, whose size is not known beforehand."""

IMAGES = {
    uid.CTImageStorage, uid.EnhancedCTImageStorage, uid.LegacyConvertedEnhancedCTImageStorage,
    uid.MRImageStorage, uid.EnhancedMRImageStorage, uid.LegacyConvertedEnhancedMRImageStorage,
    uid.MRSpectroscopyStorage, uid.UltrasoundImageStorage, uid.UltrasoundMultiFrameImageStorage,
    uid.VLWholeSlideMicroscopyImageStorage,
}  # fmt: skip
"""Classes of objects that models read. Others (reports, our own results, screen shots) are only kept."""

HEAD = 2**24
"""Bytes of a data set within which its group 0020 must begin: before it are codes and descriptions. Ours."""

_PREAMBLE = bytes(128) + b"DICM"


@dataclass(frozen=True, kw_only=True)
class Received:
    """A data set as it arrived, encoded by `syntax`; `caller` is the AE title that sent it, blank by the web."""

    study: str = field(repr=False)
    instance: str = field(repr=False)
    sop_class: str
    syntax: str
    caller: str
    dataset: bytes = field(repr=False)

    @property
    def is_image(self) -> bool:
        """Whether a model may read it."""
        return self.sop_class in IMAGES

    def file(self) -> bytes:
        """The bytes of a DICOM file with it."""
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(self.sop_class), UID(self.instance)
        meta.TransferSyntaxUID, meta.ImplementationClassUID = UID(self.syntax), uid.PYDICOM_IMPLEMENTATION_UID
        if self.caller:
            meta.SourceApplicationEntityTitle = self.caller
        return _PREAMBLE + _encoded(meta) + self.dataset


def of_dataset(dataset: bytes, *, syntax: str, caller: str) -> Received:
    """The object in the bytes of a data set; SpecimenError, without a word of what is in it, where its first
    attributes cannot be read, it is encoded in a way that we do not take, or a UID is none.
    """
    if syntax not in SYNTAXES:
        raise SpecimenError(f"it is encoded by {name_of_uid(syntax)}, which is not taken; send it uncompressed")
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    head = BytesIO(_PREAMBLE + _encoded(meta) + dataset[:HEAD])
    try:
        with tolerant():
            read = read_partial(head, stop_when=lambda tag, vr, length: tag > 0x0020000D)
            names = ("StudyInstanceUID", "SOPInstanceUID", "SOPClassUID")
            study, instance, sop_class = (str(read.get(name) or "") for name in names)
    except Exception as error:  # a stranger's bytes, of which pydicom may raise anything
        raise SpecimenError(f"its attributes cannot be read ({type(error).__name__}); send it again") from None
    if not all(map(is_uid, (study, instance, sop_class))):
        raise SpecimenError("a UID of its study, class or instance is absent or malformed")
    return Received(
        study=study, instance=instance, sop_class=sop_class, syntax=syntax, caller=caller, dataset=dataset
    )  # fmt: skip


def of_file(content: bytes, *, caller: str = "") -> Received:
    """The object in the bytes of a DICOM file; SpecimenError where it is none (PS3.10 7.1)."""
    if content[128:136] != b"DICM\x02\0\0\0" or content[136:140] != b"UL\x04\0":
        raise SpecimenError("it is not a DICOM file")
    begin = 144 + int.from_bytes(content[140:144], "little")
    try:
        with tolerant():
            syntax = str(pydicom.dcmread(BytesIO(content[:begin])).file_meta.TransferSyntaxUID)
    except Exception as error:  # a stranger's bytes, of which pydicom may raise anything
        raise SpecimenError(f"its file meta information cannot be read ({type(error).__name__})") from None
    return of_dataset(content[begin:], syntax=syntax, caller=caller)


def _encoded(meta: FileMetaDataset) -> bytes:
    buffer = DicomBytesIO()
    write_file_meta_info(buffer, meta, enforce_standard=False)
    encoded = buffer.getvalue()
    return (
        encoded
        if encoded[:4] == b"\x02\0\0\0"
        else b"\x02\0\0\0UL\x04\0" + len(encoded).to_bytes(4, "little") + encoded
    )


def is_uid(text: str) -> bool:
    """Digits and dots, 64 at most; leading zeros, which devices write, are let pass."""
    return fullmatch(r"[0-9][0-9.]{0,63}", text) is not None


def name_of(identifier: str) -> str:
    """What a study or an object is called on the disk and in the log: no part of its UID."""
    return sha256(identifier.encode()).hexdigest()[:32]


def name_of_uid(text: str) -> str:
    """The standard's name of a UID; of one that it does not have, which may be anything, a digest."""
    known = is_uid(text) and UID(text).name != text
    return UID(text).name if known else f"the unknown UID {name_of(str(text))[:8]}"

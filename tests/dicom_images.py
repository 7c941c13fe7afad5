"""Images: small CT of no patient, to send about."""

from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from hepatica.radiology.phantom.dicom import encoded


def ct_image(number: int, *, study: str = "1.2.3", sop_class: str = CTImageStorage, **changes: object) -> Dataset:
    """A small CT image; the same arguments, the same image."""
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID, header.SOPInstanceUID = sop_class, f"{study}.4.{number}"
    header.StudyInstanceUID, header.SeriesInstanceUID = study, f"{study}.4"
    header.PatientName, header.PatientID, header.PatientBirthDate, header.PatientSex = "Doe^Jane", "77", "", ""
    header.StudyDate = header.StudyTime = header.AccessionNumber = header.StudyID = ""
    header.Modality, header.BodyPartExamined, header.SeriesDescription = "CT", "ABDOMEN", "arterial phase"
    header.Rows = header.Columns = 32
    header.SamplesPerPixel, header.PhotometricInterpretation, header.PixelRepresentation = 1, "MONOCHROME2", 0
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, 12, 11
    header.InstanceNumber = number
    header.PixelData = np.random.default_rng(number).integers(0, 4095, (32, 32), np.uint16).tobytes()
    for name, value in changes.items():
        setattr(header, name, value)
    return header


def ct_files(folder: Path, count: int, **changes: object) -> list[Path]:
    """So many images of one study, as files."""
    folder.mkdir(parents=True, exist_ok=True)
    study = generate_uid(entropy_srcs=[str(folder)])[:50]
    for number in range(1, count + 1):
        (folder / f"{number:04d}.dcm").write_bytes(encoded(ct_image(number, study=study, **changes)))
    return sorted(folder.glob("*.dcm"))

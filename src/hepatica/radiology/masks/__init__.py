"""Masks: what somebody or something marked in a patient, from any format, on the voxels of a volume."""

__all__ = ["contours", "frames", "labels", "mask", "parts", "segments"]

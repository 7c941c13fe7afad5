"""Masks: what somebody or something marked in a patient, from any format, on the voxels of a volume."""

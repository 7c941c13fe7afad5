"""Ultrasound: images and cines of a study, masked, in kPa where they are elastograms, and the views networks read."""

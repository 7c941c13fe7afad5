"""Liver: where the liver lies in a CT volume, estimated or from a mask."""

"""Radiology: CT of the liver, from files of scanners and archives to slices in Hounsfield units."""

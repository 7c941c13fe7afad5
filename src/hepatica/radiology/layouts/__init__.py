"""Layouts: public sets of liver images as their downloads lie on disk, made into cohort folders."""

from hepatica.radiology.layouts.cohort_of import cohort_of
from hepatica.radiology.layouts.layout import LAYOUTS, Layout, read_layout

__all__ = ["LAYOUTS", "Layout", "cohort_of", "read_layout"]

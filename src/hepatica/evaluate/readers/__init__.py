"""Readers: statistics of several readers of the same patients."""

__all__ = ["fleiss", "multi_reader", "reader_table", "readers"]

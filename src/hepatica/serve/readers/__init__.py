"""Readers: reader studies: who reads which case when, what they called, and what they may not see before."""

__all__: list[str] = []

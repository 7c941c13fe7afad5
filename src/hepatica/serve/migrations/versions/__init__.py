"""Versions: one step a file, each with the one before it."""

"""Api: the programming interface under /api/v1, one file a subject."""

from fastapi import APIRouter

from hepatica.serve.api import cases

__all__ = ["routers"]

routers: list[APIRouter] = [cases.router]
"""Every router."""

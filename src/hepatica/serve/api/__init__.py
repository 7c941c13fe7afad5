"""Api: the programming interface under /api/v1, one file a subject."""

from fastapi import APIRouter

from hepatica.serve.api import accounts, cases, events, health, jobs, results, runs, scores, uploads

__all__ = ["routers"]

routers: list[APIRouter] = [
    each.router for each in (uploads, cases, results, events, runs, jobs, scores, accounts, health)
]
"""Every router."""

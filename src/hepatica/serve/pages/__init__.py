"""Pages: the workbench in a browser, rendered on the server; its viewers are modules in static/."""

from fastapi import APIRouter

from hepatica.serve.pages import assets, cases, cohorts, drop, reading, runs, scores, sign_in, viewing

__all__ = ["routers"]

routers: list[APIRouter] = [
    each.router for each in (assets, drop, viewing, cases, runs, cohorts, reading, scores, sign_in)
]
"""Every router; `viewing` before `cases`, whose addresses it continues."""

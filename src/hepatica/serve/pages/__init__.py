"""Pages: the workbench in a browser, rendered on the server; its viewers are modules in static/."""

from fastapi import APIRouter

from hepatica.serve.pages import assets, cases, drop, reading, runs, viewing

__all__ = ["routers"]

routers: list[APIRouter] = [assets.router, drop.router, viewing.router, cases.router, runs.router, reading.router]
"""Every router."""

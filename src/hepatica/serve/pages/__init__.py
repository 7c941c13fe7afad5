"""Pages: the workbench in a browser, rendered on the server; its viewers are modules in static/."""

from fastapi import APIRouter

from hepatica.serve.pages import assets, cases, viewing

__all__ = ["routers"]

routers: list[APIRouter] = [assets.router, viewing.router, cases.router]
"""Every router."""

"""Answers: what every request may be answered beside its result, and who may ask."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Path
from pydantic import AfterValidator, BaseModel

from hepatica.serve.accounts import User
from hepatica.serve.sign_in import require, workbench_of
from hepatica.serve.workbench import Workbench

Bench = Annotated[Workbench, Depends(workbench_of)]
Viewer = Annotated[User, Depends(require("viewer"))]
Reader = Annotated[User, Depends(require("reader"))]
Operator = Annotated[User, Depends(require("operator"))]
Admin = Annotated[User, Depends(require("admin"))]
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="A random id of 32 hexadecimal digits.")]


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("wanted characters that can be printed")
    return text


Plain = Annotated[str, AfterValidator(_printable)]
"""Text of one line."""


class Refused(BaseModel):
    """Why there is no result: `code` for programs, `message` for people."""

    code: str
    message: str


STATUSES = (400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 503, 507)
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refused, "description": HTTPStatus(status).phrase} for status in STATUSES
}
"""As FastAPI documents them."""

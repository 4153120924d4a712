"""The page of ``offers.yaml``: its keys, and those of each kind there is."""

from __future__ import annotations

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from rekindle.offers.discovery import find_kinds
from rekindle.offers.model import OfferTerms, Rung


def describe_kinds() -> str:
    """Return the tables of keys as Markdown."""
    common = set(OfferTerms.model_fields)
    parts = ["## Every offer", _table(OfferTerms, common - {"kind"})]
    for word, kind in find_kinds().items():
        own = set(kind.model_fields) - common
        parts += [f"## `kind: {word}`", kind.meaning, _table(kind, own)]
    parts += ["## A rung of a ladder", _table(Rung, set(Rung.model_fields))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(model: type[BaseModel], keys: set[str]) -> str:
    rows = [
        f"| `{name}` | {_default(field)} | {field.description} |"
        for name, field in model.model_fields.items()
        if name in keys
    ]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *rows]) if rows else ""


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required"
    if field.default is None:
        return "none"
    days = getattr(field.default, "days", None)
    return f"`{field.default if days is None else f'{days} days'}`"

"""Who may see a page. Every view says so; one that does not is never shown.

Deny by default: the application answers an undeclared view with "not found", and a
test walks all routes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

View = TypeVar("View", bound=Callable[..., object])
_MARK = "_rekindle_access"


@dataclass(frozen=True, slots=True)
class Access:
    """Who may see a page, and why that is right."""

    who: str
    reason: str


def open_to_anyone(reason: str) -> Callable[[View], View]:
    """Declare a view that needs no login, and say why that is right."""

    def declare(view: View) -> View:
        setattr(view, _MARK, Access("anyone", reason))
        return view

    return declare


def declared_access(view: Callable[..., object]) -> Access | None:
    """Return what a view declares, or None if it declares nothing."""
    access = getattr(view, _MARK, None)
    return access if isinstance(access, Access) else None

"""Who may see a page or call a route. Every view says so; one that does not is never reached.

Deny by default: the applications answer an undeclared view with "not found", ask for the
key a declared one wants before the view runs, and a test walks all routes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from rekindle.ledger import Scope

View = TypeVar("View", bound=Callable[..., object])
_MARK = "_rekindle_access"


@dataclass(frozen=True, slots=True)
class Access:
    """Holders of a key with one of ``scopes``, or anyone at all, and why that is right."""

    reason: str
    scopes: frozenset[Scope] = frozenset()

    @property
    def is_open(self) -> bool:
        """Return whether no key is asked for."""
        return not self.scopes


def open_to_anyone(reason: str) -> Callable[[View], View]:
    """Declare a view that asks for no key, and say why that is right."""
    return _declare(Access(reason))


def open_to_keys(*scopes: Scope) -> Callable[[View], View]:
    """Declare a view for keys that have at least one of these scopes."""
    return _declare(Access("a key of that scope was given out for it", frozenset(scopes)))


def declared_access(view: Callable[..., object]) -> Access | None:
    """Return what a view declares, or None if it declares nothing."""
    access = getattr(view, _MARK, None)
    return access if isinstance(access, Access) else None


def _declare(access: Access) -> Callable[[View], View]:
    def declare(view: View) -> View:
        setattr(view, _MARK, access)
        return view

    return declare

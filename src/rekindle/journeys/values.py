"""How the few values are made that a tick makes a million of.

Python builds a frozen dataclass five times as slowly as an open one, and a decision takes
five of them. These are frozen to mypy, which every change has to pass, and open at run time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

T = TypeVar("T")

if TYPE_CHECKING:
    from dataclasses import dataclass as value_by_the_million
else:
    from dataclasses import dataclass

    def value_by_the_million(*, frozen: bool, slots: bool) -> Callable[[type[T]], type[T]]:
        """Return what makes a dataclass that is compared and hashed like a frozen one."""
        return dataclass(slots=slots, unsafe_hash=frozen)


__all__ = ["value_by_the_million"]

"""Which customers: a predicate language over the profile's columns."""

from rekindle.audiences.behaviours import BEHAVIOURS
from rekindle.audiences.binding import behaviours_in, bind_flags
from rekindle.audiences.compiling import build_condition
from rekindle.audiences.contradictions import is_never
from rekindle.audiences.predicate import Predicate, parse_predicate

__all__ = [
    "BEHAVIOURS",
    "Predicate",
    "behaviours_in",
    "bind_flags",
    "build_condition",
    "is_never",
    "parse_predicate",
]

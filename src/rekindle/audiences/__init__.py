"""Which customers: a predicate language over the profile's columns."""

from rekindle.audiences.compiling import build_condition
from rekindle.audiences.predicate import Predicate, parse_predicate

__all__ = ["Predicate", "build_condition", "parse_predicate"]

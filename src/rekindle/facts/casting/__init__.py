"""Turns raw cells into values: texts and yes or no, dates, amounts, each by its form."""

from rekindle.facts.casting.amounts import (
    AMOUNT_FORMS,
    build_amount,
    build_currencies,
)
from rekindle.facts.casting.cells import (
    NO_WORDS,
    STAND_INS,
    build_given,
    build_text,
    build_value,
    ids_prefix,
    is_number,
    sql_type,
)
from rekindle.facts.casting.dates import DATE_WORDS, Finish, build_moment
from rekindle.facts.casting.rules import Rules

__all__ = [
    "AMOUNT_FORMS",
    "DATE_WORDS",
    "NO_WORDS",
    "STAND_INS",
    "Finish",
    "Rules",
    "build_amount",
    "build_currencies",
    "build_given",
    "build_moment",
    "build_text",
    "build_value",
    "ids_prefix",
    "is_number",
    "sql_type",
]

"""The catalogue of measures, and what they say of a journey or of all of them."""

from __future__ import annotations

from rekindle.insights.measures.catalogue import CATALOGUE
from rekindle.insights.measures.gathering import build_queries, gather
from rekindle.insights.measures.grouping import list_ways
from rekindle.insights.measures.model import DeclaredMeasure, MeasuredPeople, MeasureTable
from rekindle.insights.measures.telling import (
    measure,
    measure_tables,
    write_measure_rows,
    write_measures,
)

__all__ = [
    "CATALOGUE",
    "DeclaredMeasure",
    "MeasureTable",
    "MeasuredPeople",
    "build_queries",
    "gather",
    "list_ways",
    "measure",
    "measure_tables",
    "write_measure_rows",
    "write_measures",
]

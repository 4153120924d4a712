"""What is known of people before a draw, as numbers for a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rekindle.predictions.histories import Floats

MOST_WORDS = 12
"""A column of words is told apart by its most frequent ones; the others are alike."""
WIDE = 100
"""An amount that spans so much enters by its logarithm."""


def build_traits(columns: Mapping[str, pa.ChunkedArray]) -> Floats:
    """Return a row a person and one or more columns for each of ``columns``, which hold texts.

    A column of numbers enters as it is, or by its logarithm where it is never below zero and
    reaches far; where it is empty, as its mean, with a column that says so. Of words each of
    the most frequent is a column of its own.
    """
    size = len(next(iter(columns.values()))) if columns else 0
    found = [one for column in columns.values() for one in _traits(column)]
    kept = [one for one in found if np.ptp(one) > 0] if size else []
    return np.column_stack(kept) if kept else np.zeros((size, 0))


def _traits(column: pa.ChunkedArray) -> Iterator[Floats]:
    try:
        numbers = pc.cast(column, pa.float64())
    except pa.ArrowInvalid:
        yield from _words(column)
        return
    values = numbers.to_numpy(zero_copy_only=False).astype(np.float64)
    is_known = np.isfinite(values)
    if not is_known.any():
        return
    known = values[is_known]
    if known.min() >= 0 and known.max() >= WIDE:
        values, known = np.log1p(values), np.log1p(known)
    yield np.where(is_known, values, known.mean())
    yield (~is_known).astype(np.float64)


def _words(column: pa.ChunkedArray) -> Iterator[Floats]:
    words = np.array([word or "" for word in column.to_pylist()], dtype=object)
    names, counts = np.unique(words, return_counts=True)
    # The first of them is what the others are compared with.
    for place in np.lexsort((names, -counts))[1:MOST_WORDS]:
        yield (words == names[place]).astype(np.float64)

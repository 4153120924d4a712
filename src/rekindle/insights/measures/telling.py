"""Measures as values for scripts, as tables for the terminal and as rows for a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from rekindle.insights.measures.catalogue import CATALOGUE, find_courses
from rekindle.insights.measures.definitions import REACTIVATIONS
from rekindle.insights.measures.grouping import (
    EVERYONE,
    NO_HOLDOUT,
    OVERLAP,
    TOGETHER,
    list_ways,
    split,
)
from rekindle.insights.measures.model import (
    ASSIGNED,
    DeclaredMeasure,
    Group,
    MeasuredPeople,
    MeasureTable,
    Unit,
    Value,
)
from rekindle.insights.tables import TextTable
from rekindle.insights.wire import VERSION, Figure, Json, write_figure
from rekindle.insights.words import UNKNOWN, say_amount, say_count, say_points, say_share
from rekindle.vocabulary import Unknown
from rekindle.wording import counted

_SCHEMA = pa.schema(
    [
        ("about", pa.string()),
        ("group", pa.string()),
        ("measure", pa.string()),
        ("unit", pa.string()),
        ("value", pa.float64()),
        ("count", pa.float64()),
        ("base", pa.int64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("beside", pa.float64()),
        ("unknown", pa.string()),
    ]
)


def measure(population: MeasuredPeople, *, about: str, by: str = "") -> MeasureTable:
    """Return every measure of a population, and of its groups told apart ``by`` something."""
    groups = split(population, by)
    is_overlapping = any(one.holdout is NO_HOLDOUT for one in groups)
    notes = [OVERLAP] if is_overlapping else [TOGETHER] if by else []
    notes += _left_out(groups[0])
    if population.definition != ASSIGNED:
        told = REACTIVATIONS[population.definition].meaning
        notes.append(f"Reactivated by the definition {population.definition!r}: {told}.")
    if len({one.journey for one in population.subjects}) > 1:
        notes.append("Who is in two journeys counts in each of them.")
    values = {one.name: _compute(one) for one in groups}
    notes += [
        f"{CATALOGUE[name].title}: {one.note}."
        for name, one in values[EVERYONE].items()
        if one.note
    ]
    return MeasureTable(about, by, population.currency, values, tuple(notes), population.definition)


def _left_out(everyone: Group) -> Iterator[str]:
    """Yield of how many people who are back nothing is said of whether they stayed."""
    back = [one for one in everyone.treated if one.returned_at is not None]
    told = len(find_courses(back, everyone))
    if told and (missing := len(back) - told):
        yield (
            f"{counted(missing, 'person')} came back by a subscription alone: whether people stay "
            "is asked of orders here, and not of them."
        )


def _compute(group: Group) -> Mapping[str, Value]:
    return {name: one.compute(group) for name, one in CATALOGUE.items()}


def write_measures(table: MeasureTable) -> Json:
    """Return measures as JSON values; what could not be measured carries ``unknown``."""
    return {
        "version": VERSION,
        "about": table.about,
        "by": table.by or None,
        "definition": table.definition,
        "groups": [
            {
                "group": name,
                "measures": {m: _write(CATALOGUE[m], value) for m, value in values.items()},
            }
            for name, values in table.values.items()
        ],
        "notes": list(table.notes),
    }


def _write(declared: DeclaredMeasure, value: Value) -> Json:
    told: Json = {"unit": declared.unit.value, "value": write_figure(value.figure)}
    for name in ("count", "base", "low", "high"):
        if (found := getattr(value, name)) is not None:
            told[name] = round(found, 4)
    if value.note:
        told["note"] = value.note
    if value.beside is not None:
        of = value.beside_of or declared.beside
        told["beside"] = {"of": of, "value": write_figure(value.beside)}
    return told


def write_measure_rows(table: MeasureTable) -> pa.Table:
    """Return measures as rows, one a group and measure; unknown ones carry the reason."""
    rows = [
        {
            "about": table.about,
            "group": name,
            "measure": measured,
            "unit": CATALOGUE[measured].unit.value,
            "value": _known(value.figure),
            "count": value.count,
            "base": value.base,
            "low": value.low,
            "high": value.high,
            "beside": _known(value.beside),
            "unknown": value.figure.reason if isinstance(value.figure, Unknown) else None,
        }
        for name, values in table.values.items()
        for measured, value in values.items()
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def _known(figure: Figure | None) -> float | None:
    return None if isinstance(figure, Unknown) else figure


def measure_tables(table: MeasureTable) -> Iterator[TextTable]:
    """Yield the measures of everyone, and below them those of the groups side by side."""
    everyone = table.values[EVERYONE]
    yield TextTable(
        f"Measures of {table.about}",
        ("measure", "value", "of", "from – to", "beside"),
        tuple(_row(CATALOGUE[name], value, table.currency) for name, value in everyone.items()),
        (
            *_reasons(everyone),
            *(() if table.by else table.notes),
            "`--explain MEASURE` shows its formula, window and the query behind it.",
        ),
    )
    groups = {name: values for name, values in table.values.items() if name != EVERYONE}
    if table.by:
        names = [name for name, one in CATALOGUE.items() if one.unit is Unit.PEOPLE]
        rest = [name for name in CATALOGUE if name not in names]
        yield _group_table(f"By {table.by}: people", groups, names, table)
        notes = [*table.notes, *_tell_groups(groups)]
        yield _group_table(f"By {table.by}: rates", groups, rest, table, notes)


def _tell_groups(groups: Mapping[str, Mapping[str, Value]]) -> Iterator[str]:
    """Yield where it is said why figures of groups are unknown: there are too many for a table."""
    figures = [value.figure for values in groups.values() for value in values.values()]
    if any(isinstance(one, Unknown) for one in figures):
        yield "Why a figure of a group is unknown is said of each by `--json` and `--out`."


def _group_table(
    title: str,
    groups: Mapping[str, Mapping[str, Value]],
    names: Sequence[str],
    table: MeasureTable,
    notes: Sequence[str] = (),
) -> TextTable:
    return TextTable(
        title,
        (table.by, *(CATALOGUE[name].title for name in names)),
        tuple(
            (
                group,
                *(_cell(CATALOGUE[n].unit, values[n], table.currency) for n in names),
            )
            for group, values in groups.items()
        ),
        (*notes, f"Told apart by {list_ways()[table.by]}.") if notes or names else (),
    )


def _row(declared: DeclaredMeasure, value: Value, currency: str) -> tuple[str, ...]:
    beside, unit = "", declared.unit
    if value.beside is not None:
        # Beside a difference of shares stands one of the two.
        of_it = Unit.SHARE if unit is Unit.POINTS else unit
        of_whom = value.beside_of or declared.beside
        beside = f"{of_whom}: {say_measure(of_it, value.beside, currency)}"
    of = "" if value.base is None else say_count(value.base)
    ends = _say_ends(unit, value, currency)
    return (declared.title, say_measure(unit, value.figure, currency), of, ends, beside)


def _cell(unit: Unit, value: Value, currency: str) -> str:
    """Return a figure with its interval, which no difference is told without."""
    ends = _say_ends(unit, value, currency)
    return say_measure(unit, value.figure, currency) + (f" ({ends})" if ends else "")


def _say_ends(unit: Unit, value: Value, currency: str) -> str:
    ends = (value.low, value.high)
    if ends == (None, None):
        return ""
    return " – ".join("open" if one is None else say_measure(unit, one, currency) for one in ends)


def say_measure(unit: Unit, figure: Figure, currency: str) -> str:
    """Return a figure as its unit is written."""
    if isinstance(figure, Unknown):
        return UNKNOWN
    if unit is Unit.PEOPLE:
        return say_count(round(figure))
    if unit is Unit.SHARE:
        return say_share(figure, digits=1)
    if unit is Unit.POINTS:
        return say_points(figure)
    return say_amount(figure, currency) if unit is Unit.MONEY else f"{figure:,.2f}"


def _reasons(values: Mapping[str, Value]) -> Iterator[str]:
    """Yield why figures are unknown, each reason once with the measures it is about."""
    told: dict[str, list[str]] = {}
    for name, value in values.items():
        for figure in (value.figure, value.beside):
            if isinstance(figure, Unknown):
                names = told.setdefault(figure.reason, [])
                if (title := CATALOGUE[name].title) not in names:
                    names.append(title)
    for reason, names in told.items():
        yield f"Unknown ({', '.join(names)}): {reason}."

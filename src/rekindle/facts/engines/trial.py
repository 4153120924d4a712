"""Counts a file of an experiment, whoever ran it: per arm and outcome a few sums.

The file is read once into the engine; one grouped query then counts every outcome. What
cannot be counted stops the work with the row's own words, or is counted as missing; it
never becomes a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from rekindle.errors import SourceError
from rekindle.facts.sources.encodings import guess_encoding
from rekindle.facts.sources.texts import utf8
from rekindle.facts.sql import first_line, literal, quoted
from rekindle.wording import counted

_NUMBERS = [
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
    "BOOLEAN",
]
_SHOWN = 12
_MOST_ARMS = 50
# What some tools write where there is no number.
_NOTHING = ("", "na", "n/a", "nan", "null", "none")

# By what rows belong together: whoever names no cluster was drawn alone.
_TOGETHER = "cluster, case when cluster is null then rowid end"
_BEFORE = (
    ", count(x) filter (where {y} is not null), coalesce(fsum(x) filter (where {y} is not null), 0)"
)


@dataclass(frozen=True, slots=True)
class TrialQuestion:
    """Which columns of ``path`` say the arm, what is measured, and what is known besides.

    ``cluster`` names who was drawn together, ``before`` a figure from before the draw,
    ``unit`` a column in which nobody may stand twice, ``by`` columns that were known before
    the draw, by which people are told apart.
    """

    path: Path
    arm: str
    control: str
    outcomes: Sequence[str]
    cluster: str | None = None
    before: str | None = None
    unit: str | None = None
    by: Sequence[str] = ()

    @property
    def columns(self) -> list[str]:
        """Return every column that is asked for, once."""
        more = [one for one in (self.cluster, self.before, self.unit) if one is not None]
        return list(dict.fromkeys((self.arm, *self.outcomes, *more, *self.by)))


@dataclass(frozen=True, slots=True)
class TrialSums:
    """How many numbers of one sign, and their first three powers summed."""

    count: int
    first: float
    second: float
    third: float


@dataclass(frozen=True, slots=True)
class Counted:
    """One outcome of one arm: rows with a number, rows without, and sums by sign."""

    known: int
    missing: int
    above: TrialSums
    below: TrialSums


@dataclass(frozen=True, slots=True)
class Pairs:
    """Rows of an arm, in one half of the file, with the outcome (y) and the figure before (x)."""

    count: int
    x: float
    y: float
    xx: float
    xy: float
    yy: float


@dataclass(frozen=True, slots=True)
class Together:
    """Rows of an arm that were drawn together: how many have the outcome, and its sum.

    ``seen`` of them have the figure before too, which sums up to ``before``; ``half`` is the
    half of the file they are in, 0 or 1.
    """

    count: int
    total: float
    seen: int = 0
    before: float = 0.0
    half: int = 0


@dataclass(frozen=True, slots=True)
class Trial:
    """A file of an experiment, counted: by outcome, then by arm; the control arm first.

    ``armless`` rows name no arm. ``clusters`` are those drawn together, a row that names nobody
    it was drawn with by itself; ``pairs`` the outcome beside the figure before, in two halves
    of the file, where everybody was drawn alone.
    """

    assigned: Mapping[str, int]
    outcomes: Mapping[str, Mapping[str, Counted]]
    armless: int = 0
    clusters: Mapping[str, Mapping[str, Sequence[Together]]] = field(default_factory=dict)
    pairs: Mapping[str, Mapping[str, Sequence[Pairs]]] = field(default_factory=dict)


class TrialReader:
    """A file of an experiment in an engine of its own; close it by leaving the block."""

    def __init__(self, con: duckdb.DuckDBPyConnection, question: TrialQuestion) -> None:
        self._con = con
        self._question = question
        self._named = {name: f"y{number}" for number, name in enumerate(question.outcomes)}

    def count(self) -> Trial:
        """Return every outcome counted by arm.

        Raises:
            SourceError: the control arm or any other is not there, somebody stands in the
                file twice, or a cluster in two arms.
        """
        question = self._question
        rows = self._rows("select arm, count(*) from trial group by arm order by arm")
        assigned = {str(arm): int(count) for arm, count in rows if arm is not None}
        self._check_arms(assigned)
        arms = [question.control, *(arm for arm in assigned if arm != question.control)]
        self._check_units()
        return Trial(
            assigned={arm: assigned[arm] for arm in arms},
            outcomes=self._count_outcomes(arms),
            armless=sum(int(count) for arm, count in rows if arm is None),
            clusters=self._sum_clusters(arms) if question.cluster else {},
            pairs=self._sum_pairs(arms) if question.before and not question.cluster else {},
        )

    def values(self, outcome: str, arms: Sequence[str]) -> dict[str, list[float]]:
        """Return by arm every number of ``outcome`` that is not zero, in order."""
        name = self._named[outcome]
        found: dict[str, list[float]] = {arm: [] for arm in arms}
        for arm, value, count in self._rows(
            f"select arm, {name}, count(*) from trial where {name} <> 0 and arm is not null "
            f"group by all order by {name}"
        ):
            found[str(arm)] += [float(value)] * int(count)
        return found

    def people(self, outcome: str) -> pa.Table:
        """Return everybody with an arm and a number of ``outcome``, in the order of the file.

        Columns: ``row`` (the place in the file, from 1), ``arm``, ``outcome``, and the columns
        of ``by`` as texts, called ``by_0``, ``by_1`` and so on.
        """
        traits = "".join(f", by_{place}" for place in range(len(self._question.by)))
        name = self._named[outcome]
        return self._con.execute(
            f"select rowid + 1 as row, arm, {name}::double as outcome{traits} from trial "
            f"where arm is not null and {name} is not null order by rowid"
        ).to_arrow_table()

    @property
    def _has_before(self) -> bool:
        return self._question.before is not None

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._con.execute(query).fetchall()

    def _check_arms(self, assigned: Mapping[str, int]) -> None:
        question = self._question
        if not assigned:
            raise SourceError(f"{question.path}: no row names an arm in {question.arm!r}")
        if question.control not in assigned:
            names = ", ".join(repr(arm) for arm in list(assigned)[:_SHOWN])
            raise SourceError(
                f"{question.path}: no row of {question.arm!r} is the control "
                f"{question.control!r}; it holds {names}"
            )
        if len(assigned) == 1:
            raise SourceError(
                f"{question.path}: every row of {question.arm!r} is {question.control!r}; a lift "
                "needs another arm to compare"
            )
        if len(assigned) > _MOST_ARMS:
            raise SourceError(
                f"{question.path}: {question.arm!r} holds {len(assigned):,} different values; that "
                f"is no column of arms (at most {_MOST_ARMS})"
            )

    def _check_units(self) -> None:
        if self._question.unit is not None:
            twice = self._rows(
                "select unit, count(*) from trial where unit is not null group by unit "
                "having count(*) > 1 order by unit limit 1"
            )
            for unit, count in twice:
                raise SourceError(
                    f"{self._question.path}: {self._question.unit} {unit!r} stands in {count} "
                    "rows; one row a customer is needed"
                )
        if self._question.cluster is not None:
            split = self._rows(
                "select cluster, min(arm), max(arm) from trial where arm is not null "
                "and cluster is not null group by cluster having min(arm) <> max(arm) "
                "order by cluster limit 1"
            )
            for cluster, one, other in split:
                raise SourceError(
                    f"{self._question.path}: {self._question.cluster} {cluster!r} is in two arms, "
                    f"{one!r} and {other!r}; who is drawn together has one arm"
                )

    def _count_outcomes(self, arms: Sequence[str]) -> dict[str, dict[str, Counted]]:
        """Return every outcome by arm, by one query."""
        asked = ", ".join(
            f"count({name}), {_sums(name, '>')}, {_sums(name, '<')}"
            for name in self._named.values()
        )
        rows = self._rows(
            f"select arm, count(*), {asked} from trial where arm is not null group by arm"
        )
        found: dict[str, dict[str, Counted]] = {outcome: {} for outcome in self._named}
        of_arm = {str(row[0]): row[1:] for row in rows}
        for arm in arms:
            everyone, *figures = of_arm[arm]
            for number, outcome in enumerate(self._named):
                known, *sums = figures[number * 9 : number * 9 + 9]
                found[outcome][arm] = Counted(
                    int(known),
                    int(everyone) - int(known),
                    _as_sums(sums[:4]),
                    _as_sums(sums[4:]),
                )
        return found

    def _sum_clusters(self, arms: Sequence[str]) -> dict[str, dict[str, list[Together]]]:
        asked = ", ".join(
            f"count({y}), coalesce(fsum({y}), 0)"
            + (_BEFORE.format(y=y) if self._has_before else "")
            for y in self._named.values()
        )
        half = "any_value(half)" if self._has_before else "0"
        rows = self._rows(
            f"select arm, {half}, {asked} from trial where arm is not null "
            f"group by arm, {_TOGETHER} order by arm, {_TOGETHER}"
        )
        found: dict[str, dict[str, list[Together]]] = {
            outcome: {arm: [] for arm in arms} for outcome in self._named
        }
        width = 4 if self._has_before else 2
        for arm, part, *figures in rows:
            for number, outcome in enumerate(self._named):
                count, total, *more = figures[width * number : width * (number + 1)]
                if count:
                    seen, before = more or (0, 0.0)
                    found[outcome][str(arm)].append(
                        Together(int(count), float(total), int(seen), float(before), int(part))
                    )
        return found

    def _sum_pairs(self, arms: Sequence[str]) -> dict[str, dict[str, list[Pairs]]]:
        found: dict[str, dict[str, list[Pairs]]] = {}
        for outcome, y in self._named.items():
            rows = self._rows(
                f"select arm, half, count(*), fsum(x), fsum({y}), fsum(x * x), fsum(x * {y}), "
                f"fsum({y} * {y}) from trial where arm is not null and x is not null "
                f"and {y} is not null group by arm, half order by arm, half"
            )
            of_arm: dict[str, list[Pairs]] = {arm: [] for arm in arms}
            for arm, _half, count, *sums in rows:
                of_arm[str(arm)].append(Pairs(int(count), *map(float, sums)))
            found[outcome] = of_arm
        return found


@contextmanager
def open_trial(question: TrialQuestion) -> Iterator[TrialReader]:
    """Yield a reader of the file, its columns checked and its numbers read.

    Raises:
        SourceError: the file cannot be read, is empty, lacks a column, or holds text or an
            infinite number where an outcome should be.
    """
    if not question.path.is_file():
        raise SourceError(f"{question.path} is not there, or no file")
    con = duckdb.connect()
    try:
        try:
            _load(con, question, question.path)
        except duckdb.Error:
            if _is_parquet(question.path):
                raise
            # Another encoding than UTF-8, as spreadsheets write it; looked for where it matters.
            with utf8(question.path, guess_encoding(question.path)) as path:
                if path == question.path:
                    raise
                _load(con, question, path)
        yield TrialReader(con, question)
    except duckdb.Error as error:
        raise SourceError(f"{question.path} cannot be read: {first_line(error)}") from error
    finally:
        con.close()


def _load(con: duckdb.DuckDBPyConnection, question: TrialQuestion, path: Path) -> None:
    """Bring the file into the engine from ``path``, where it stands in UTF-8."""
    if path.stat().st_size == 0:
        raise SourceError(f"{question.path} is empty; a file with a header and rows is needed")
    place = literal(str(path))
    if _is_parquet(path):
        relation = f"read_parquet({place})"
    else:
        relation = f"read_csv({place}, header = true, all_varchar = true)"
    _read(con, relation, _columns(con, relation, question), question)


def _is_parquet(path: Path) -> bool:
    return path.suffix == ".parquet"


def _columns(
    con: duckdb.DuckDBPyConnection, relation: str, question: TrialQuestion
) -> dict[str, str]:
    """Return the kind of each column that is asked for."""
    rows = con.execute(f"describe select * from {relation}").fetchall()
    kinds = {str(row[0]): str(row[1]).split("(")[0] for row in rows}
    only = next(iter(kinds)) if len(kinds) == 1 else ""
    if any(mark in only for mark in ",;|\t"):
        raise SourceError(
            f"{question.path}: a row has more or fewer cells than the header {only!r}; export it "
            "again with one cell for each column"
        )
    for name in question.columns:
        if name not in kinds:
            known = ", ".join(list(kinds)[: 2 * _SHOWN])
            raise SourceError(f"{question.path} has no column {name!r}; it has {known}")
    return kinds


def _read(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    kinds: Mapping[str, str],
    question: TrialQuestion,
) -> None:
    """Bring the columns into the engine as numbers and labels."""
    figures = {f"y{number}": name for number, name in enumerate(question.outcomes)}
    if question.before is not None:
        figures["x"] = question.before
    labels: dict[str, str | None] = {
        "arm": question.arm,
        "cluster": question.cluster,
        "unit": question.unit,
    }
    labels |= {f"by_{place}": name for place, name in enumerate(question.by)}
    columns = [
        f"nullif(trim({quoted(name)}::varchar), '') as {label}"
        for label, name in labels.items()
        if name is not None
    ]
    columns += [f"{_number(name, kinds[name])} as {label}" for label, name in figures.items()]
    texts = {label: name for label, name in figures.items() if not _is_number(kinds[name])}
    columns += [f"{_text(name)} as t_{label}" for label, name in texts.items()]
    if question.before is not None:
        # By a hash: with every other row, a file that alternates its arms would part them.
        each = "row_number() over ()"
        if question.cluster is not None:  # who was drawn together is in one half
            together = f"nullif(trim({quoted(question.cluster)}::varchar), '')"
            each = f"coalesce({together}, '#' || {each})"
        columns.append(f"hash({each}) % 2 as half")
    con.execute(f"create temp table trial as select {', '.join(columns)} from {relation}")
    if not con.execute("select 1 from trial limit 1").fetchall():
        raise SourceError(f"{question.path} holds a header and no rows")
    for label, name in figures.items():
        _refuse_what_is_no_number(con, question, name, label, is_text=label in texts)


def _refuse_what_is_no_number(
    con: duckdb.DuckDBPyConnection,
    question: TrialQuestion,
    name: str,
    label: str,
    *,
    is_text: bool,
) -> None:
    found = con.execute(f"select count(*), min(rowid) from trial where isinf({label})").fetchall()
    if found[0][0]:
        raise SourceError(
            f"{question.path}: {name} is infinite in {counted(found[0][0], 'row')}, first in row "
            f"{found[0][1] + 1}; an average of it is no number"
        )
    if not is_text:
        return
    found = con.execute(
        f"select count(*), min(rowid), arg_min(t_{label}, rowid) from trial "
        f"where {label} is null and t_{label} is not null"
    ).fetchall()
    if found[0][0]:
        raise SourceError(
            f"{question.path}: {name} is no number in {counted(found[0][0], 'row')}, first in row "
            f"{found[0][1] + 1}: {str(found[0][2])[:60]!r}"
        )


def _is_number(kind: str) -> bool:
    return kind in _NUMBERS


def _text(name: str) -> str:
    """Return SQL for what a cell says, or nothing."""
    nothing = ", ".join(literal(word) for word in _NOTHING)
    cell = f"trim({quoted(name)}::varchar)"
    return f"case when lower({cell}) in ({nothing}) then null else {cell} end"


def _number(name: str, kind: str) -> str:
    """Return SQL for a cell as a number; nothing where it is empty or no number."""
    if _is_number(kind):
        number = f"{quoted(name)}::double"
    else:
        cell = f"trim({quoted(name)}::varchar)"
        number = (
            f"case lower({cell}) when 'true' then 1.0 when 'false' then 0.0 "
            f"else try_cast({cell} as double) end"
        )
    return f"case when isnan({number}) then null else {number} end"


def _sums(name: str, sign: str) -> str:
    chosen = f"filter (where {name} {sign} 0)"
    return f"count(*) {chosen}, " + ", ".join(
        f"coalesce(fsum({' * '.join([name] * power)}) {chosen}, 0)" for power in (1, 2, 3)
    )


def _as_sums(row: Sequence[Any]) -> TrialSums:
    count, *sums = row
    return TrialSums(int(count), *map(float, sums))

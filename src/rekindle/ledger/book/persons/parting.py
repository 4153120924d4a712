"""The way back from a join: what came with an id goes with it, what was refused stays refused."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rekindle.ledger import models
from rekindle.ledger.book.lanes import lane_of
from rekindle.ledger.book.persons.following import MOVED
from rekindle.ledger.book.persons.looking import find_persons
from rekindle.ledger.book.persons.rows import give_rows, name_orders
from rekindle.ledger.book.persons.words import return_words
from rekindle.ledger.cancelling import take_back_from
from rekindle.ledger.queries import Row, execute, fetch, rows_of, text_of
from rekindle.ledger.signals import hold_people, know_people
from rekindle.ledger.statements import note_people, sum_consents_up

Moved = Mapping[str, Sequence[Any]]
SHARED = frozenset({models.Consent, models.Suppression, models.Exclusion})
"""What both keep: copied to who leaves, never taken from who stays."""


def part(alias: str, ids: Sequence[str], at: datetime, *, by: str) -> list[str]:
    """Let ids leave the persons they go by, in the caller's transaction; return who left.

    The caller holds who is who.
    """
    newest: dict[str, Row] = {}
    for row in fetch(alias, "joins_with", rows_of((id_,) for id_ in sorted(set(ids)))):
        newest.setdefault(row[1], row)
    now = find_persons(alias, newest)
    leaving = {gone: now[gone] for gone in sorted(newest) if now[gone] != gone}
    if not leaving:
        return []
    both = {*leaving, *leaving.values()}
    know_people(alias, both)
    hold_people(alias, both)
    fetch(alias, "hold_cards", rows_of((person,) for person in sorted(both)))
    execute(alias, "revive_cards", rows_of((gone,) for gone in leaving))
    execute(alias, "tell_again", rows_of((person,) for person in sorted(both)))
    moved = {gone: _moved(newest[gone]) for gone in leaving}
    for model in MOVED:
        if model not in SHARED:
            table = model._meta.db_table
            back = [(n, g) for g in leaving for n in moved[g].get(table, ())]
            give_rows(alias, model, back)
            if model is models.Signal:
                name_orders(alias, [number for number, _ in back])
    # Whose they were is not kept: a no of who stays must not bind who leaves.
    execute(alias, "forget_secondary", rows_of((kept,) for kept in sorted({*leaving.values()})))
    given = [
        (id_, gone, leaving[gone])
        for gone, own in moved.items()
        for id_ in sorted({gone, *own["aliases"]})
    ]
    _return_given(alias, given)
    return_words(alias, given)
    _return_journeys(alias, moved)
    _return_aliases(alias, moved, at)
    _keep_refusals(alias, leaving)
    rows = ((newest[gone][0], text_of(at), by) for gone in leaving)
    execute(alias, "undo_joins", rows_of(rows))
    sum_consents_up(alias, both)
    note_people(alias, both)
    take_back_from(alias, both)
    return list(leaving)


def _moved(join: Row) -> Moved:
    """Return what came to the other by a join, by table; both databases read JSON their way."""
    found: Moved = json.loads(join[3]) if isinstance(join[3], str) else join[3]
    return found


def _return_journeys(alias: str, moved: Mapping[str, Moved]) -> None:
    rows = [
        (number, gone, rotation)
        for gone, tables in moved.items()
        for number, rotation in tables.get("ledger_enrolment", ())
    ]
    if rows:
        execute(alias, "move_enrolments", rows_of(rows))
        execute(alias, "move_lanes", rows_of((number, lane_of(gone)) for number, gone, _ in rows))
        execute(alias, "touches_follow", rows_of((number, gone) for number, gone, _ in rows))
    arms = [(n, gone) for gone, own in moved.items() for n in own.get("ledger_assignment", ())]
    give_rows(alias, models.Assignment, arms)


def _return_given(alias: str, given: Sequence[tuple[str, str, str]]) -> None:
    """Let what was reported under an id since it was joined go with it.

    ``given`` are (id, who leaves with it, whom they leave).
    """
    rows = rows_of(given)
    orders = [(number, gone) for number, gone in fetch(alias, "orders_given", rows)]
    give_rows(alias, models.Signal, orders)
    name_orders(alias, [number for number, _ in orders])
    execute(alias, "return_events", rows)
    execute(alias, "return_addresses", rows)
    execute(alias, "return_visitors", rows)


def _return_aliases(alias: str, moved: Mapping[str, Moved], at: datetime) -> None:
    execute(alias, "forget_aliases", rows_of((gone,) for gone in moved))
    back = [(id_, gone, text_of(at), None) for gone, own in moved.items() for id_ in own["aliases"]]
    if back:
        execute(alias, "add_aliases", rows_of(sorted(back)))


def _keep_refusals(alias: str, leaving: dict[str, str]) -> None:
    """Copy to who leaves what the other may not be asked or sent, of whoever it came."""
    pairs = rows_of((kept, gone) for gone, kept in leaving.items())
    for name in ("copy_consents", "copy_suppressions", "copy_exclusions", "copy_wishes"):
        execute(alias, name, pairs)

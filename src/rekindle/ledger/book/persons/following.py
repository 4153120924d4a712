"""What a join does to the ledger: all that was one person's is the other's, the stricter wins.

Everything is a fixed few statements however many persons are joined, and in the order in
which everybody takes locks: who is who, then places, then cards, then messages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Model

from rekindle.gate import BookRules
from rekindle.ledger import intake_models, models
from rekindle.ledger.book.persons.journeys import follow_journeys
from rekindle.ledger.book.persons.rows import Moved, Pair, move_rows, name_orders
from rekindle.ledger.book.persons.words import follow_words
from rekindle.ledger.cancelling import take_back_from
from rekindle.ledger.offers import models as offer_models
from rekindle.ledger.queries import Row, barred, execute, fetch, rows_of, text_of, text_or_none
from rekindle.ledger.signals import hold_people, suppress_again
from rekindle.ledger.statements import last_words, note_people, sum_consents_up
from rekindle.ledger.versions import Versions

Moves = dict[str, dict[str, list[Any]]]
"""What came to another person, by whose it was and by table."""

MOVED: tuple[type[Model], ...] = (
    models.Consent,
    models.PendingConsent,
    models.Suppression,
    models.Exclusion,
    models.Signal,
    models.Address,
    intake_models.SecondaryAddress,
    models.Task,
    models.Kept,
    models.Stay,
    intake_models.Belongings,
    intake_models.Event,
    intake_models.Instruction,
    offer_models.GivenOffer,
)
"""The tables whose rows go over as they are, unless the other person has the same."""

FOLLOWED: Mapping[type[Model], str] = {
    **dict.fromkeys(MOVED, "moved"),
    models.Person: "its card is emptied, and fills the gaps of the other's",
    models.Preference: "the stricter of both wishes holds",
    models.Assignment: "the earlier arm stays",
    models.Enrolment: "moved; one journey goes on once",
    models.Touch: "moved with its enrolment, under the key it has outside",
    intake_models.Alias: "stands for the other",
}
"""Every table that names a person, and what a join does to it; a test holds it complete."""


def follow(
    alias: str, versions: Versions, terms: BookRules, pairs: Sequence[Pair], at: datetime
) -> tuple[Moves, list[str]]:
    """Let each first person be the second, in the caller's transaction.

    Both have cards, nobody goes and stays at once, and the caller holds who is who.
    Returns what moved, for the way back, and who is to be erased because either was.
    """
    whole = rows_of(sorted(pairs))
    people = sorted({one for pair in pairs for one in pair})
    hold_people(alias, people)
    batch = rows_of((person,) for person in people)
    fetch(alias, "hold_cards", batch)
    moves: Moves = defaultdict(lambda: defaultdict(list))
    cards = {row[0]: row for row in fetch(alias, "cards_of", batch)}
    _keep_refusals(alias, pairs, cards, at)
    _join_wishes(alias, pairs)
    execute(alias, "widen_exclusions", whole)
    follow_journeys(alias, versions, pairs, at, moves)
    execute(alias, "give_events", whole)
    for model in MOVED:
        moved = move_rows(alias, model, pairs)
        _note(moves, model._meta.db_table, moved)
        if model is models.Signal:
            name_orders(alias, [number for number, _ in moved])
    execute(alias, "follow_cards", whole)
    execute(alias, "fill_cards", whole)
    follow_words(alias, pairs)
    execute(alias, "keep_addresses", whole, whole)
    execute(alias, "leave_cards", whole)
    kept = {pair[1] for pair in pairs}
    suppress_again(alias, terms, kept)
    sum_consents_up(alias, kept)
    note_people(alias, {kept for gone, kept in pairs if cards[gone][3]})
    take_back_from(alias, kept)
    return moves, sorted({kept for gone, kept in pairs if cards[gone][1] or cards[kept][1]})


def _note(moves: Moves, table: str, moved: Iterable[Moved]) -> None:
    for number, gone in moved:
        moves[gone][table].append(number)


def _keep_refusals(
    alias: str, pairs: Iterable[Pair], cards: Mapping[str, Row], at: datetime
) -> None:
    """Let a no that either person said last hold for the one they are, until they say yes."""
    records = []
    for gone, kept in pairs:
        said = [last_words(cards[person][2]) for person in (gone, kept)]
        for channel in said[0].keys() & said[1].keys():
            if said[0][channel] != said[1][channel]:
                records.append((kept, channel, False, text_of(at), "join", ""))
    if records:
        fetch(alias, "add_consents", rows_of(sorted(set(records))))


def _join_wishes(alias: str, pairs: Sequence[Pair]) -> None:
    """Let both persons' wishes hold: the longer snooze, every muted topic, the rarer mail."""
    people = {one for pair in pairs for one in pair}
    held = models.Preference.objects.using(alias).filter(person__in=people).in_bulk()
    if not held:
        return
    rows: dict[str, Row] = {}
    for gone, kept in sorted(pairs):
        if gone not in held:
            continue
        # The database knows the default of a row that is not written yet; we have to say it.
        fresh = models.Preference(person_id=kept, muted_topics="")
        mine, theirs = held[gone], held.setdefault(kept, fresh)
        theirs.snoozed_until = _later(mine.snoozed_until, theirs.snoozed_until)
        theirs.at_most_every_seconds = (
            max(mine.at_most_every_seconds or 0, theirs.at_most_every_seconds or 0) or None
        )
        topics = {*mine.muted_topics.split("|"), *theirs.muted_topics.split("|")} - {""}
        theirs.muted_topics = barred(sorted(topics))
        rows[kept] = (
            kept,
            text_or_none(theirs.snoozed_until),
            theirs.muted_topics,
            theirs.at_most_every_seconds,
        )
    if rows:
        execute(alias, "save_preferences", rows_of(rows.values()))
        note_people(alias, set(rows))


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)

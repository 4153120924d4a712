"""Remembers the holdout of all marketing journeys: who is drawn, and which shares there were.

What is drawn for a person is an assignment like a journey's, of the experiment ``*`` and, in
place of a version, of the period in which the share was the one that drew. So a person who
turns out to be another follows the earlier draw, as they do in a journey.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rekindle.gate import EVERYTHING, BookRules, Enrolment
from rekindle.journeys import HoldoutPeriod, Withheld, draw_withheld, find_ended
from rekindle.ledger.queries import execute, fetch, instant_of, rows_of, text_of
from rekindle.ledger.statements import note_people
from rekindle.vocabulary import Arm, Purpose


@dataclass(frozen=True, slots=True)
class Drawn:
    """The arm a person was drawn into for all marketing journeys, when, in which period."""

    person: str
    arm: Arm
    at: datetime
    period: int


def load_periods(alias: str) -> list[HoldoutPeriod]:
    """Return the shares there were, the oldest first; none where there never was a holdout."""
    rows = fetch(alias, "periods_of_holdout")
    return [HoldoutPeriod(number, share, instant_of(since)) for number, share, since in rows]


def load_drawn(alias: str, person: str = "") -> list[Drawn]:
    """Return who was ever drawn for all marketing journeys together: everybody, or one."""
    rows = fetch(alias, "drawn_for_everything", person, person)
    return [Drawn(who, Arm(arm), instant_of(at), period) for who, arm, at, period in rows]


def load_withheld(alias: str, until: datetime) -> Withheld:
    """Return who was ever drawn to get nothing from any marketing journey, as it was until then."""
    since = {one.person: one.at for one in load_drawn(alias) if one.arm is Arm.HOLDOUT}
    return Withheld(since, find_ended(load_periods(alias), until))


def open_period(alias: str, share: float, at: datetime) -> tuple[HoldoutPeriod | None, bool]:
    """Return the period of a share, None for none, and whether it begins with this.

    It is in the caller's transaction. Nothing begins where there was and is no holdout.
    """
    periods = load_periods(alias)
    newest = periods[-1] if periods else None
    if share == (newest.share if newest else 0.0):
        return newest, False
    number = newest.number + 1 if newest else 1
    is_new = bool(execute(alias, "open_holdout", rows_of([(number, share, text_of(at))])))
    return load_periods(alias)[-1], is_new


def withhold(
    alias: str,
    terms: BookRules,
    entered: Iterable[tuple[Enrolment, Purpose]],
) -> None:
    """Draw those who enter a marketing journey and were not drawn before.

    Whoever is held out is noted on their card, so that a look at everybody else asks nothing.
    """
    drawn: dict[str, tuple[Arm, datetime]] = {}
    for one, purpose in entered:
        arm = draw_withheld(terms.holdout, one.person, purpose)
        if arm is not None and (one.person not in drawn or one.entered_at < drawn[one.person][1]):
            drawn[one.person] = (arm, one.entered_at)
    if not drawn:
        return
    period, _ = open_period(alias, terms.holdout.share, min(at for _, at in drawn.values()))
    number = 0 if period is None else period.number
    rows: Sequence[tuple[object, ...]] = [
        (person, EVERYTHING, arm.value, text_of(at), number, "{}")
        for person, (arm, at) in sorted(drawn.items())
    ]
    execute(alias, "assign", rows_of(rows))
    held = sorted(person for person, (arm, _) in drawn.items() if arm is Arm.HOLDOUT)
    if held:
        # In one order everywhere, as everybody takes them.
        fetch(alias, "hold_cards", rows_of((person,) for person in held))
        note_people(alias, held)

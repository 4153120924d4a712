"""Says why a journey wrote to nobody, and what to do next.

A plan or a replay without a single message is right as often as not, but its figures are
all nothing, and nothing looks like a fault: so the reasons are counted and said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import ibis

from rekindle.desk.counting import count_audience
from rekindle.gate import REASONS
from rekindle.journeys import Journey, Move, Send
from rekindle.runtime import Workspace
from rekindle.vocabulary import Answer, Reason
from rekindle.wording import counted, day, numbered, shell_word

REMEDIES = {note.reason: note.remedy for note in REASONS} | {
    Reason.HELD_OUT: "set a smaller holdout in the journey's file, or hold out nobody to try "
    "it (`holdout: none`)",
    Reason.NO_PERMISSION: "import customers with their consent (`email_consent`, "
    "`email_consent_at`), or claim consent.soft_opt_in in rekindle.toml if it applies to you",
    Reason.UNREACHABLE: "import customers with an address for the journey's channels "
    "(`email`, `phone`)",
}


@dataclass(frozen=True, slots=True)
class Contactable:
    """How many customers have a card, an address, a telephone number, and who agreed.

    ``agreed`` counts whoever said yes by then, ``later`` those whose first yes counts only
    afterwards.
    """

    cards: int = 0
    emails: int = 0
    phones: int = 0
    agreed: int = 0
    later: int = 0


def measure_reach(workspace: Workspace, at: datetime) -> Contactable:
    """Return who could be written to at ``at`` at all, by the facts."""
    engine, facts = workspace.reading
    if not facts.has_cards:
        return Contactable()
    cards = facts.customers
    row = engine.run(
        cards.aggregate(
            cards=cards.customer_id.nunique(),
            emails=cards.customer_id.nunique(where=cards.email.notnull()),
            phones=cards.customer_id.nunique(where=cards.phone.notnull()),
        )
    ).to_pylist()[0]
    agreed = later = 0
    if facts.permissions is not None:
        said = facts.permissions
        yes = said.filter(said.said == "yes")
        now = ibis.literal(at, type="timestamp('UTC', 6)")
        counts = yes.group_by("customer_id").agg(first=yes.counts_at.min())
        known = engine.run(
            counts.aggregate(agreed=(counts.first <= now).sum(), later=(counts.first > now).sum())
        ).to_pylist()[0]
        agreed, later = known["agreed"] or 0, known["later"] or 0
    return Contactable(row["cards"], row["emails"], row["phones"], agreed, later)


def people_by_reason(moves: Iterable[Move]) -> Mapping[Reason, int]:
    """Return how many people each reason kept a message from."""
    pairs = {
        (move.before.person, move.decision.reason)
        for move in moves
        if isinstance(move.step, Send) and move.decision.answer is not Answer.SEND
    }
    return Counter(reason for _, reason in pairs if reason is not None)


def say_why_nobody(
    workspace: Workspace,
    journey: Journey,
    *,
    people: int,
    reasons: Mapping[Reason, int],
    at: datetime,
) -> str:
    """Return in a few sentences why ``journey`` writes to nobody, and what to do next."""
    return " ".join(_sentences(workspace, journey, people, reasons, at))


def _sentences(
    workspace: Workspace,
    journey: Journey,
    people: int,
    reasons: Mapping[Reason, int],
    at: datetime,
) -> Iterator[str]:
    if not people:
        yield "Nobody would be written to: nobody enters."
        yield from _why_nobody_enters(workspace, journey, at)
        return
    most = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    told = ", ".join(f"{count:,} {reason.value.replace('_', ' ')}" for reason, count in most)
    yield f"Nobody would be written to. Of {counted(people, 'person')}: {told or 'none was due'}."
    reach = measure_reach(workspace, at)
    yield (
        f"Of {counted(reach.cards, 'customer')} with a card, {reach.emails:,} "
        f"{numbered(reach.emails, 'has')} an e-mail address, {reach.phones:,} a telephone number, "
        f"and {reach.agreed:,} agreed to be written to by {day(at, workspace.zone)}."
    )
    if reach.later:
        yield (
            f"{reach.later:,} more {numbered(reach.later, 'was')} found to agree after that day; "
            "where they did before, give the dates (`email_consent_at`)."
        )
    if most:
        yield f"Next: {REMEDIES[most[0][0]].rstrip('.')}."


def _why_nobody_enters(workspace: Workspace, journey: Journey, at: datetime) -> Iterator[str]:
    on = day(at, workspace.zone)
    matching = count_audience(workspace, journey.audience, at, sample=0).customers
    told = f"{counted(matching, 'customer')} {'matches' if matching == 1 else 'match'}"
    if not matching:
        yield f"No customer matches its audience, {journey.audience}, on {on}."
    elif journey.trigger is not None:
        yield f"{told} its audience on {on}, and {journey.trigger.event} happened to none of them."
    elif journey.backfill is None:
        yield f"{told} its audience on {on}; `backfill: none` keeps out whoever does at the start."
    else:
        yield (
            f"{told} its audience on {on}, and may not enter: they are or were in it (`reenter`)"
            + (", or outside the pilot (`start`)." if journey.pilot < 1 else ".")
        )
    command = f"rekindle audience {shell_word(journey.audience)}"
    yield f"Next: `{command}` counts who matches; what lets people in stands in the journey's file."

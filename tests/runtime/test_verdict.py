"""What ``explain`` says of a person is what the gate would do, whatever the reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from rekindle.consent import Exclusion
from rekindle.desk import (
    PreferenceChange,
    change_preferences,
    erase_person,
    exclude_person,
    explain_customer,
)
from rekindle.ledger import models
from rekindle.vocabulary import Answer, Channel, Purpose, Reason
from tests.runtime.shops import Team

WHO = "ann"
DAY = timedelta(days=1)
EMAIL = Channel("email")


def verdict(team: Team, person: str) -> tuple[Answer, Reason | None, str]:
    found = explain_customer(team.workspace, person, team.clock.now())
    (one,) = (one for one in found.verdicts if one.channel == EMAIL)
    return one.decision.answer, one.decision.reason, one.detail


def suppress(team: Team, person: str, reason: str, purpose: Purpose | None) -> None:
    book, at = team.workspace.book, team.clock.now()
    book.suppress(person, EMAIL, reason=reason, at=at, purpose=purpose)


def wish(team: Team, person: str, wanted: PreferenceChange) -> None:
    change_preferences(team.workspace, person, wanted, who=WHO)


CHANGES: dict[str, tuple[Callable[[Team, str], object], Answer, Reason]] = {
    "erased": (
        lambda team, person: erase_person(team.workspace, person, who=WHO),
        Answer.SKIP,
        Reason.ERASED,
    ),
    "complained": (
        lambda team, person: suppress(team, person, "complaint", Purpose.MARKETING),
        Answer.SKIP,
        Reason.SUPPRESSED,
    ),
    "bounced": (
        lambda team, person: suppress(team, person, "bounce", None),
        Answer.SKIP,
        Reason.SUPPRESSED,
    ),
    "snoozed": (
        lambda team, person: wish(team, person, PreferenceChange(snooze=30 * DAY)),
        Answer.HOLD,
        Reason.SNOOZED,
    ),
    "less often": (
        lambda team, person: wish(team, person, PreferenceChange(at_most_every=30 * DAY)),
        Answer.HOLD,
        Reason.PREFERENCE,
    ),
    "excluded": (
        lambda team, person: exclude_person(team.workspace, person, Exclusion.BAD_ACTOR, who=WHO),
        Answer.SKIP,
        Reason.EXCLUDED,
    ),
    "without an address": (
        lambda team, person: (
            models.Person.objects.using(team.workspace.ledger)
            .filter(pk=person)
            .update(address=None, address_hash="")
        ),
        Answer.SKIP,
        Reason.UNREACHABLE,
    ),
}


@pytest.mark.parametrize("change", [*CHANGES])
def test_verdict_counts_everything(begun: Team, change: str) -> None:
    begun.clock.move(2 * DAY)
    person = begun.someone("calm")
    assert verdict(begun, person) == (Answer.SEND, None, "rule: express")
    happen, answer, reason = CHANGES[change]
    happen(begun, person)
    assert verdict(begun, person)[:2] == (answer, reason)


def test_verdict_of_one_just_written_to_names_the_cap(begun: Team) -> None:
    assert verdict(begun, begun.someone("calm"))[:2] == (Answer.HOLD, Reason.CAP)


def test_verdict_of_one_whose_value_is_below_zero(begun: Team) -> None:
    begun.clock.move(2 * DAY)
    space = begun.workspace
    table = space.profiles(begun.clock.now())
    rows = space.engine.run(table.filter(table.lifetime_value < 0).select("customer_id"))
    ids = rows.column(0).to_pylist()
    found = {one: verdict(begun, one) for one in ids if space.history.person(one)}
    assert (Answer.SKIP, Reason.EXCLUDED, "negative_value") in found.values()
    assert all(
        said == (Answer.SKIP, Reason.EXCLUDED, "negative_value")
        or said[1] in (Reason.NO_PERMISSION, Reason.UNREACHABLE)
        for said in found.values()
    )

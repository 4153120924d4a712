"""What other systems sent before: an experiment where there was one, and no more than it is."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rekindle.config import Config, LifecycleSettings
from rekindle.experiments import Lift, find_imbalance
from rekindle.facts import Engine, import_sources, open_lake
from rekindle.gate import HouseRules, QuietHours
from rekindle.insights import (
    audit_page,
    build_audit,
    past_send_tables,
    with_past_sends,
)
from rekindle.insights.past_sends import comparing, reading
from rekindle.insights.past_sends.building import build_past_sends
from rekindle.insights.past_sends.model import CHOSEN, EquallySilent, SendAudit
from rekindle.predictions import find_sent
from rekindle.testing.small_shop import Card, Sale, SmallShop
from rekindle.vocabulary import Unknown
from tests.subscriptions.businesses import subscription

AT = datetime(2025, 3, 3, 10, tzinfo=UTC)
AS_OF = AT + timedelta(days=60)
NIGHT = QuietHours(time(21), time(8))
RULES = HouseRules(quiet_hours=NIGHT)
Audited = Callable[..., SendAudit]


def sent(person: str, at: datetime = AT, **changes: Any) -> dict[str, Any]:
    row = {"source": "mail", "customer_id": person, "channel": "email", "campaign": "Spring"}
    return row | {"sent_at": at} | changes


@pytest.fixture
def audited() -> Iterator[Audited]:
    """Yield a function that audits what was sent by a shop."""
    engines: list[Engine] = []

    def run(
        sales: Sequence[Sale],
        sends: Sequence[Mapping[str, Any]],
        *,
        as_of: datetime = AS_OF,
        contacted: Sequence[str] = (),
        **shop: Any,
    ) -> SendAudit:
        rows = {"past_sends": sends} | shop.pop("rows", {})
        engine = SmallShop(sales, rows=rows, **shop).engine()
        engines.append(engine)
        facts = engine.facts()
        past = reading.read_past(facts, engine.run, as_of, contacted)
        assert past is not None
        found = build_past_sends(past, currency="GBP", zone=facts.zone, quiet=NIGHT)
        json.dumps(found.to_json())
        return found

    yield run
    for engine in engines:
        engine.close()


def before(person: str, days: float, gross: int = 20) -> Sale:
    return Sale(person, AT - timedelta(days=days), gross=Decimal(gross))


def after(person: str, days: float, gross: int = 20) -> Sale:
    return before(person, -days, gross)


def test_what_followed_counts_from_the_first_message_until_thirty_days_later(
    audited: Audited,
) -> None:
    sales = [before(p, 100) for p in "abcd"]
    sales += [after("a", 29.9), after("b", 30.1), after("c", -0.001)]
    found = audited(sales, [sent(p) for p in "abcd"] + [sent("d", AT + timedelta(days=5))])
    (group,) = found.groups
    assert (group.sends, group.people, group.followed.people) == (5, 4, 4)
    assert (group.followed.bought, group.followed.revenue) == (1, 20.0)
    assert group.silent["91-180"] == 3
    assert group.silent["0-30"] == 1  # c bought a minute and a half before


def test_a_subscription_that_begins_is_a_purchase_after_a_message(audited: Audited) -> None:
    stays = [
        subscription(f"s{who}", who, str((AT - timedelta(days=back)).date()), mrr=9)
        for who, back in (("a", -5), ("b", 2))
    ]
    found = audited([], [sent(who) for who in "abc"], rows={"subscriptions": stays})
    (group,) = found.groups
    assert (group.followed.people, group.followed.bought) == (2, 1)
    assert group.silent["0-30"] == 1


def test_whose_days_are_not_over_is_in_no_share(audited: Audited) -> None:
    found = audited([before("a", 100)], [sent("a")], as_of=AT + timedelta(days=29))
    assert isinstance(found.groups[0].followed.share, Unknown)
    assert "nobody's 30 days are over" in found.groups[0].followed.share.reason


@pytest.mark.long
def test_silence_is_what_was_known_then(audited: Audited) -> None:
    # The order of 40 days before was cancelled after the message: then it was a purchase still.
    cancelled = Sale("a", AT - timedelta(days=40), cancelled_at=AT + timedelta(days=3))
    found = audited([before("a", 100), cancelled], [sent("a")])
    assert found.groups[0].silence_days == 40
    earlier = Sale("a", AT - timedelta(days=40), cancelled_at=AT - timedelta(days=3))
    assert audited([before("a", 100), earlier], [sent("a")]).groups[0].silence_days == 100


def test_nothing_later_is_known(audited: Audited) -> None:
    sends = [sent("a", opened_at=AT + timedelta(days=50)), sent("a", AT + timedelta(days=50))]
    found = audited([before("a", 100)], sends, as_of=AT + timedelta(days=40))
    (group,) = found.groups
    assert (group.sends, group.opened) == (1, 0)


def test_addresses_are_people_and_shared_or_unknown_ones_nobody(audited: Audited) -> None:
    cards = [
        Card("a", email="Ann@Example.com"),
        Card("b", email="family@example.com"),
        Card("c", email="family@example.com"),
    ]
    sends = [sent("ANN@example.com"), sent("family@example.com"), sent("stranger@example.com")]
    found = audited([before(p, 50) for p in "abc"], sends, cards=cards)
    assert (found.known, found.strangers) == (1, 2)
    assert found.groups[0].people == 1
    assert "2 messages of 3 went to nobody known by then" in found.notes[0]


@pytest.mark.long
def test_a_joined_person_is_found_by_either_id(audited: Audited) -> None:
    sends = [sent("old"), sent("new", AT + timedelta(days=1))]
    found = audited([before("new", 50)], sends, persons={"old": "new"})
    assert (found.groups[0].people, found.strangers) == (1, 0)


def test_messages_to_look_at_twice_are_counted(audited: Audited) -> None:
    sends = [
        sent("a"),
        sent("a", AT + timedelta(days=3)),  # since a's purchase of the day before, and just so
        sent("b"),
        sent("b", AT + timedelta(hours=3), channel="sms"),  # a second on one day
        sent("c", AT.replace(hour=23)),  # at night
        sent("d"),  # after a no
        sent("d", AT - timedelta(days=9), campaign="Winter"),  # before it
    ]
    words = [
        {"said": "yes", "counts_at": AT - timedelta(days=90)},
        {"said": "no", "counts_at": AT - timedelta(days=5)},
    ]
    rows = {
        "permissions": [
            word | {"source": "mail", "customer_id": "d", "channel": "email", "file": "f",
                    "imported_at": AT}
            for word in words
        ]
    }  # fmt: skip
    sales = [before(p, 100) for p in "abcd"] + [after("a", 2)]
    faults = audited(sales, sends, rows=rows).faults
    assert faults.since_first == faults.just_bought == 1
    assert (faults.same_day, faults.at_night, faults.refused) == (1, 1, 1)


@pytest.mark.long
def test_of_words_of_one_instant_the_no_counts_and_a_later_yes_takes_it_back(
    audited: Audited,
) -> None:
    def refused(*words: tuple[str, int]) -> int:
        said = [
            {"source": "s", "customer_id": "a", "channel": "email", "said": word, "file": "f",
             "imported_at": AT, "counts_at": AT - timedelta(days=days)}
            for word, days in words
        ]  # fmt: skip
        return audited([before("a", 50)], [sent("a")], rows={"permissions": said}).faults.refused

    assert refused(("no", 5), ("yes", 5)) == refused(("yes", 5), ("no", 5)) == 1
    assert refused(("no", 5), ("yes", 4)) == 0


@pytest.mark.long
def test_a_night_is_one_of_the_business(audited: Audited) -> None:
    # Half past eight in the evening in UTC is half past nine in Berlin.
    send = [sent("a", AT.replace(hour=20, minute=30))]
    assert audited([before("a", 50)], send).faults.at_night == 0
    assert audited([before("a", 50)], send, zone="Europe/Berlin").faults.at_night == 1


def town(
    chosen: Callable[[random.Random, float], str | None],
    *,
    effect: float,
    people: int = 3000,
    seed: int = 11,
) -> tuple[list[Sale], list[dict[str, Any]]]:
    """Return a shop whose people buy at a rate of their own, and one campaign.

    ``chosen`` says the arm of somebody by their rate, or None. ``effect`` is the chance that a
    message makes somebody buy who otherwise would not have.
    """
    roll = random.Random(seed)
    sales, sends = [], []
    for number in range(people):
        person, rate = f"p{number:04}", roll.choice([0.01, 0.03, 0.06])
        day = roll.expovariate(rate)
        while day < 400:
            sales.append(before(person, 340 - day))
            day += roll.expovariate(rate)
        if (arm := chosen(roll, rate)) is not None:
            sends.append(sent(person, arm=arm))
            if arm != "Control" and roll.random() < effect:
                sales.append(after(person, roll.uniform(0, 30)))
    return sales, sends


@pytest.mark.long
def test_an_experiment_recovers_the_truth(audited: Audited) -> None:
    # Of those who would not have bought in 30 days, one in five do for the message.
    sales, sends = town(lambda r, _: "Control" if r.random() < 0.3 else "A", effect=0.2)
    (group,) = audited(sales, sends).groups
    untouched, _ = town(lambda r, _: "Control" if r.random() < 0.3 else "A", effect=0.0)
    assert untouched != sales
    share = group.holdout.share
    assert isinstance(share, float)
    assert isinstance(group.lift, Lift)
    truth = 0.2 * (1 - share)
    assert group.lift.low < truth < group.lift.high
    assert group.lift.low > 0
    assert isinstance(group.beside, Unknown)


@pytest.mark.long
def test_without_an_experiment_a_choice_looks_like_an_effect_and_is_not_called_one(
    audited: Audited,
) -> None:
    # Nobody was moved by anything: those who buy most were written to, as shops do.
    sales, sends = town(lambda r, rate: "" if rate > 0.02 and r.random() < 0.8 else None, effect=0)
    found = audited(sales, sends)
    (group,) = found.groups
    assert isinstance(group.beside, EquallySilent)
    # Equally silent, and still likelier to buy by far: this is why it is no effect.
    assert group.beside.share - group.beside.beside > 0.05
    assert group.lift == group.revenue_lift == Unknown(CHOSEN)
    told = json.dumps([[t.title, t.headers, t.rows, t.notes] for t in past_send_tables(found)])
    assert CHOSEN in told.lower()
    assert not any(word in told for word in ("lift", "uplift", "earned", "because", "thanks to"))


@pytest.mark.long
def test_equally_silent_people_who_are_chosen_by_lot_do_alike(audited: Audited) -> None:
    sales, sends = town(lambda r, _: "" if r.random() < 0.5 else None, effect=0)
    beside = audited(sales, sends).groups[0].beside
    assert isinstance(beside, EquallySilent)
    assert abs(beside.share - beside.beside) < 0.04
    assert beside.people > 1000


@pytest.mark.long
def test_who_got_something_else_then_or_from_us_is_no_comparison(audited: Audited) -> None:
    people = [f"p{n}" for n in range(60)]
    sales = [before(p, 100) for p in people]
    sends = [sent(p) for p in people[:20]]
    assert isinstance(audited(sales, sends).groups[0].beside, EquallySilent)
    other = [sent(p, AT + timedelta(days=20), campaign="Other") for p in people[20:45]]
    spring = {one.campaign: one for one in audited(sales, sends + other).groups}["Spring"]
    assert isinstance(spring.beside, Unknown)
    ours = audited(sales, sends, contacted=people[20:45]).groups[0]
    assert isinstance(ours.beside, Unknown)
    assert "fewer than 20 equally silent" in ours.beside.reason


def test_arms_that_were_unlike_before_are_no_experiment(audited: Audited) -> None:
    kept = [f"k{n}" for n in range(50)]
    people = [f"p{n}" for n in range(50)]
    sales = [before(p, 200) for p in kept] + [before(p, 20) for p in people]
    sends = [sent(p) for p in people] + [sent(p, arm="holdout") for p in kept]
    (group,) = audited(sales, sends).groups
    assert isinstance(group.lift, Unknown)
    assert "unlike before anything was sent" in group.lift.reason


def test_who_is_in_both_arms_is_in_neither(audited: Audited) -> None:
    sales = [before(p, 50) for p in "abc"]
    sends = [sent("a"), sent("a", AT + timedelta(days=1), arm="control"), sent("b"),
             sent("c", arm="control")]  # fmt: skip
    found = audited(sales, sends)
    (group,) = found.groups
    assert (group.held_out, group.in_both, group.followed.people) == (1, 1, 1)
    assert any("in both arms" in note for note in found.notes)


def test_who_was_kept_out_was_not_written_to(audited: Audited) -> None:
    engine = SmallShop(
        [before(p, 50) for p in "abc"],
        rows={
            "past_sends": [
                sent("a"),
                sent("b", arm=" Control "),
                sent("c", bounced=True),
            ]
        },
    ).engine()
    assert find_sent(engine.facts(), engine.run, AS_OF) == {"a"}
    assert find_sent(engine.facts(), engine.run, AT) == frozenset()
    engine.close()


@pytest.mark.long
def test_a_campaign_of_many_days_and_a_long_history_are_read(
    audited: Audited, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [f"p{n}" for n in range(90)]
    sales = [before(p, 200) for p in people]
    sends = [sent(p, AT - timedelta(days=n)) for n, p in enumerate(people[:60])]
    beside = audited(sales, sends).groups[0].beside
    assert isinstance(beside, EquallySilent)
    assert beside.people > 55  # one may be in another band than its neighbours of that day
    monkeypatch.setattr(comparing, "MOST_OTHERS", 25)
    fewer = audited(sales, sends).groups[0].beside
    assert isinstance(fewer, Unknown) or fewer.others <= 25
    monkeypatch.setattr(reading, "MOST_ORDERS", 10)
    found = audited(sales, sends)
    assert found.groups[0].followed.people == 60
    assert isinstance(found.groups[0].beside, Unknown)


def test_only_strangers_are_told_of_and_nothing_falls_over(audited: Audited) -> None:
    found = audited(
        [before("a", 50)], [sent("x@example.com"), sent("y@example.com", arm="control")]
    )
    assert (found.sends, found.strangers, found.known) == (1, 1, 0)
    assert past_send_tables(found)


EXPORT = """Email Address,Send Time,First Open,Bounced
Ann@example.com,2025-03-03 10:00,2025-03-03 10:05,no
bob@example.com,2025-03-03 10:00,,yes
,2025-03-03 10:00,,no
ann@example.com,soon,,no
"""


@pytest.mark.long
def test_an_export_is_imported_and_its_bad_rows_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "sent.csv").write_text(EXPORT)
    columns = {
        "customer_id": "Email Address",
        "campaign": "every row: Spring",
        "channel": "every row: Email",
        "sent_at": "Send Time",
        "opened_at": "First Open",
        "bounced": "Bounced",
    }
    source = {"name": "mail", "table": "past_sends", "path": "sent.csv", "columns": columns}
    config = Config.model_validate({"sources": [source]})
    for added in (2, 0):
        (found,) = import_sources(config, tmp_path, now=AS_OF)
        assert (found.added, found.quarantined) == (added, 2)
        assert set(found.reasons) == {"missing_customer_id", "bad_sent_at"}
    engine = open_lake(tmp_path / "state/lake", currency="GBP", zone="UTC")
    past = reading.read_past(engine.facts(), engine.run, AS_OF, ())
    engine.close()
    assert past is not None
    assert past.sends.groups == (("email", "Spring"),)
    assert past.sends.is_opened.tolist().count(True) == 1


@pytest.mark.long
def test_without_past_sends_nothing_is_said() -> None:
    engine = SmallShop([before("a", 50)]).engine()
    facts = engine.facts()
    assert not facts.has_past_sends
    audit = build_audit(facts, engine.run, as_of=AS_OF, settings=LifecycleSettings())
    assert with_past_sends(audit, facts, engine.run, rules=RULES) is audit
    assert "past_sends" not in audit.to_json()
    engine.close()


@pytest.mark.long
def test_the_page_shows_names_as_text() -> None:
    engine = SmallShop(
        [before("a", 50)], rows={"past_sends": [sent("a", campaign="<script>x</script>")]}
    ).engine()
    facts = engine.facts()
    audit = build_audit(facts, engine.run, as_of=AS_OF, settings=LifecycleSettings())
    page = audit_page(with_past_sends(audit, facts, engine.run, rules=RULES))
    engine.close()
    assert "What was sent before" in page
    assert "<script>x" not in page


def test_arms_drawn_by_lot_are_seldom_called_unlike() -> None:
    roll = random.Random(3)
    low = 0
    for _ in range(400):
        one, other = ([0] * 4 for _ in range(2))
        for _ in range(200):
            arm = one if roll.random() < 0.8 else other
            arm[roll.choice([0, 0, 0, 1, 2, 3])] += 1
        chance = find_imbalance(one, other)
        assert isinstance(chance, float)
        low += chance < 0.05
    assert 0.02 < low / 400 < 0.09
    assert isinstance(find_imbalance([5, 0], [0, 0]), Unknown)

"""The starter sequences, taken into one shop and replayed over its history with its events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest

from rekindle.clock import MovableClock
from rekindle.config import SourceSettings
from rekindle.content import load_templates, sequence_templates
from rekindle.desk import (
    Scaffold,
    build_plan,
    check_journey,
    create_workspace,
    list_starters,
    take_starter,
)
from rekindle.desk.replaying import rehearse
from rekindle.errors import UsageError, WorkspaceError
from rekindle.journeys import Replayed, parse_journey, sequence_journeys, starter_journeys
from rekindle.profiles import FAMILIES
from rekindle.runtime import Workspace
from tests.runtime.shops import (
    NOW,
    ORDER_HEADER,
    ZONE,
    add_section,
    close_ledgers,
    order_lines,
    set_key,
    write_csv,
)

NAMES = sorted(sequence_journeys())
DAY = timedelta(days=1)
FIRST, LAST = date(2024, 7, 1), date(2024, 8, 8)
# When more were new.
OTHERS = {
    "onboarding": (date(2023, 6, 1), date(2023, 9, 15)),
    # The letter goes out after five weeks and a half.
    "three-phases": (date(2024, 6, 1), date(2024, 8, 8)),
}
PEOPLE = {f"c{number:03}" for number in range(80)}
# What happened to whom; of usage_stopped and points_expired nobody signed in afterwards.
EVENTS = ("cart_abandoned", "kept_ending", "payment_failed", "points_expired", "usage_stopped")
OFFERED = {  # the steps that bring an offer, first one first
    "basket-four-steps": {"basket-promotion"},
    "fashion-120-days": {"fashion-code"},
    "five-channels": {"five-text", "five-last"},
    "loyalty": {"thanks-early"},
    "points-reinstated": {"points-back", "points-double"},
    "re-engagement": {"again-offer"},
    "service-overdue": {"service-thanks"},
    "three-phases": {"phase-offer", "phase-letter"},
}
UNKNOWN = {
    **dict.fromkeys(FAMILIES.names, ""),
    "orders_count": 7,
    "shop": {"name": "Oak", "postal_address": "Leeds"},
    "unsubscribe_url": "https://portal.example/u",
    "preferences_url": "https://portal.example/p",
}
# Steps that a click leads to, for nobody clicks in history, or half a year of waiting.
NOT_REACHED = {"fashion-text", "points-push", "again-shown", "thanks-call"}


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Return a shop that has taken every sequence."""
    folder = tmp_path_factory.mktemp("sequences") / "shop"
    lines = [row for row in order_lines() if row["customer_id"] in PEOPLE]
    write_csv(folder / "orders.csv", ORDER_HEADER, lines)
    happened = [
        {
            "event_id": f"{event}-{person}-{round_}",
            "customer_id": person,
            "event": event,
            "occurred_at": f"2024-0{6 + round_}-{3 + number % 20:02}T11:00:00+00:00",
        }
        for event in EVENTS
        for number, person in enumerate(sorted(PEOPLE))
        for round_ in range(2)
    ]
    write_csv(folder / "events.csv", happened[0], happened)
    paid = _subscribers(sorted(PEOPLE))
    for table, found in paid.items():
        write_csv(folder / f"{table}.csv", found[0], found)
    sources = (
        _source("orders", "order_lines", ORDER_HEADER),
        _source("events", "events", tuple(happened[0])),
        *(_source(table, table, tuple(found[0])) for table, found in paid.items()),
    )
    create_workspace(folder, Scaffold("Wick & Mug", "GBP", ZONE, sources))
    set_key(folder, "postal_address", '"1 Wick Lane, Leeds"')
    set_key(folder, "url", '"https://wick.example"')
    add_section(folder, "[offers]\nmargin = 0.5\nfloor = 0.1\n")
    for name in NAMES:
        take_starter(folder, name)
    workspace = Workspace.open(folder, clock=MovableClock(NOW))
    workspace.import_facts()
    yield workspace
    workspace.forget_facts()
    close_ledgers()


def _subscribers(people: list[str]) -> dict[str, list[dict[str, str]]]:
    """Return what people pay for: of half of them the card expires, the others have paused.

    A few subscribe for a season, and are gone since the last one; a few left in May, of whom some
    did not mean to. Of those who meant to, some are back since June.
    """
    began = "2024-01-01T08:00:00+00:00"
    why = dict.fromkeys(people[6::10], "payment failed") | dict.fromkeys(people[8::10], "price")
    stays = [
        (f"s-{person}", person, began, "2024-05-10T08:00:00Z" if person in why else "")
        for person in people
        if person not in people[4::10]
    ]
    stays += [
        (f"s-{person}-{year}", person, f"{year}-07-20T08:00:00Z", f"{year}-10-20T08:00:00Z")
        for person in people[4::10]
        for year in (2022, 2023)
    ]
    stays += [(f"s-{person}-again", person, "2024-06-25T08:00:00Z", "") for person in people[8::20]]
    return {
        "subscriptions": [
            {
                "subscription_id": id_,
                "customer_id": person,
                "started_at": start,
                "ended_at": end,
                "end_reason": why.get(person, ""),
                "plan": "Candles",
                "amount": "10",
                "currency": "GBP",
                "interval": "month",
            }
            for id_, person, start, end in stays
        ],
        "payment_methods": [
            {
                "payment_method_id": f"m-{person}",
                "customer_id": person,
                "since": began,
                "expiry_month": "7",
                "expiry_year": "2024",
            }
            for person in people[::2]
        ],
        "pauses": [
            {
                "subscription_id": f"s-{person}",
                "paused_at": "2024-06-15T08:00:00+00:00",
                "resumed_at": "2024-07-25T08:00:00+00:00",
            }
            for person in people[1::2]
        ],
    }


def _source(name: str, table: str, columns: tuple[str, ...]) -> SourceSettings:
    return SourceSettings.model_validate(
        {"name": name, "table": table, "path": f"{name}.csv", "columns": {k: k for k in columns}}
    )


@pytest.fixture(scope="module")
def replayed(space: Workspace) -> Callable[[str], Replayed]:
    """Return what tells what each would have done in three months."""

    @cache
    def replay(name: str) -> Replayed:
        first, last = OTHERS.get(name, (FIRST, LAST))
        return rehearse(space, space.journey(name), first=first, last=last).replayed

    return replay


@pytest.mark.draws(5)
@pytest.mark.parametrize("name", NAMES)
def test_a_sequence_has_no_flaw(space: Workspace, name: str) -> None:
    assert check_journey(space, space.journey(name)) == []


@pytest.mark.draws(5)
@pytest.mark.parametrize("name", NAMES)
def test_a_sequence_says_what_it_is_for_and_needs(name: str) -> None:
    (one,) = (starter for starter in list_starters() if starter.name == name)
    assert one.hypothesis
    assert one.needs
    journey = parse_journey(sequence_journeys()[name])
    assert journey.name == name
    assert f"rekindle plan {name} " in sequence_journeys()[name]
    written = {file.partition(".")[0] for file in sequence_templates(name)}
    assert written == {s.template for s in journey.sends if s.channel != "audience"}


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_every_step_of_a_sequence_is_reached_in_history(
    space: Workspace, replayed: Callable[[str], Replayed], name: str
) -> None:
    found = replayed(name)
    sent = Counter(move.step.key for move in found.sends)
    steps = {send.key for send in space.journey(name).sends}
    assert steps - set(sent) <= NOT_REACHED
    assert found.sent_after_return == 0


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("name", sorted(OFFERED))
def test_an_incentive_never_comes_first(
    space: Workspace, replayed: Callable[[str], Replayed], name: str
) -> None:
    sends = space.journey(name).sends
    assert {send.key for send in sends if send.offer is not None} == OFFERED[name]
    assert sends[0].offer is None
    first: dict[str, str] = {}
    for move in sorted(replayed(name).sends, key=lambda one: one.at):
        first.setdefault(f"{move.before.person} {move.before.entered_at}", move.step.key)
    assert first
    assert OFFERED[name].isdisjoint(first.values())


def test_only_these_give_anything() -> None:
    journeys = {name: parse_journey(text) for name, text in sequence_journeys().items()}
    assert {n for n, j in journeys.items() if any(s.offer for s in j.sends)} == set(OFFERED)


@pytest.mark.long
def test_five_channels_come_on_days_one_five_ten_fifteen_and_twenty(
    space: Workspace,
    replayed: Callable[[str], Replayed],
) -> None:
    first: dict[str, set[int]] = {}
    for move in replayed("five-channels").sends:
        days = (move.at - move.before.entered_at) // DAY + 1
        first.setdefault(move.step.key, set()).add(days)
    assert {
        step: min(days) for step, days in first.items() if step not in {"five-letter", "five-call"}
    } == {
        "five-hello": 1,
        "five-news": 5,
        "five-news-shown": 5,
        "five-text": 10,
        "lapsed-buyers": 15,
        "five-last": 20,
    }
    channels = {send.key: send.channel for send in space.journey("five-channels").sends}
    assert {channels[step] for step in first} == {
        "email",
        "inapp",
        "sms",
        "audience",
        "letter",
        "task",
    }


@pytest.mark.long
def test_a_sequence_is_planned(space: Workspace) -> None:
    """The shop has no addresses, and the plan of a sequence says so as of any journey."""
    plan = build_plan(space, space.journey("five-channels"), NOW)
    assert plan.people
    assert "Nobody would be written to" in plan.nobody


def test_no_two_files_of_starters_have_one_name() -> None:
    files = Counter(file for name in NAMES for file in sequence_templates(name))
    files.update(f"{name}.yaml" for name in NAMES)
    files.update(list(starter_journeys()))
    assert [file for file, count in files.items() if count > 1] == []


def test_taking_one_overwrites_nothing(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="no workspace"):
        take_starter(tmp_path, "season")
    create_workspace(tmp_path, Scaffold("Shop", "GBP", "UTC"))
    with pytest.raises(UsageError, match="did you mean 'season'"):
        take_starter(tmp_path, "seasons")
    (tmp_path / "templates" / "season-near.mjml").write_text("mine", encoding="utf-8")
    with pytest.raises(WorkspaceError, match=r"templates/season-near\.mjml already"):
        take_starter(tmp_path, "season")
    assert not (tmp_path / "journeys" / "season.yaml").exists()
    (tmp_path / "offers.yaml").write_text(
        "offers:\n  early-look: {kind: early_access, to: us, codes: none}\n", encoding="utf-8"
    )
    assert take_starter(tmp_path, "loyalty").offers_missing == ()
    assert take_starter(tmp_path, "three-phases").offers_missing == ("ladder win-back",)


@pytest.mark.draws(5)
@pytest.mark.parametrize("name", NAMES)
def test_templates_of_a_sequence_read_well_without_anything_known(
    tmp_path: Path, name: str
) -> None:
    for file, text in sequence_templates(name).items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    create_workspace(tmp_path / "shop", Scaffold("Shop", "GBP", "UTC"))
    for layout in (tmp_path / "shop" / "templates").glob("layout.mjml"):
        (tmp_path / "layout.mjml").write_bytes(layout.read_bytes())
    templates = load_templates(tmp_path)
    for file in sequence_templates(name):
        mail = file.removesuffix(".mjml")
        if mail == file:
            continue
        rendered = templates.render(mail, UNKNOWN)
        for words in (rendered.subject, rendered.text):
            assert " ," not in words
            assert " ." not in words
            assert "  " not in words
            # Nothing to show is known, so nothing may point at it.
            assert "these" not in words.lower()

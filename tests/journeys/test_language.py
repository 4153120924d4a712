"""Every part of the journey language is read as it means, or refused with its line."""

from __future__ import annotations

import re
import textwrap
from datetime import time, timedelta
from typing import Any

import jsonschema
import pytest
import yaml

from rekindle.audiences import parse_predicate
from rekindle.errors import JourneyError
from rekindle.journeys import Journey, Send, Wait, journey_schema, parse_journey, starter_journeys
from rekindle.journeys.language.words import KEYS
from rekindle.journeys.model import (
    Branch,
    End,
    Measure,
    Step,
    Trigger,
    Variant,
    WaitForDate,
    WaitForEvent,
    WaitForTime,
    Way,
)
from rekindle.vocabulary import Channel, Purpose
from tools.source_tree import ROOT

DAY = timedelta(days=1)
HELLO = "send: {channel: email, template: hello}"
ON_KEY = re.compile(r"\bon:")
VALIDATOR = jsonschema.Draft202012Validator(journey_schema())


def journey_text(steps: str = f"- {HELLO}", *, enter: str = "{audience: 'true'}") -> str:
    """Return a journey file whose ``enter`` stands on line 2 and whose steps begin on line 5."""
    head = f"journey: shown\nenter: {enter}\ngoal: {{on: order, within: 30 days}}\nsteps:\n"
    return head + textwrap.indent(textwrap.dedent(steps).strip("\n"), "  ") + "\n"


def as_data(text: str) -> Any:
    """Read YAML as editors do, to whom ``on`` is a word."""
    return yaml.safe_load(ON_KEY.sub("'on':", text))


def read(steps: str, *, enter: str = "{audience: 'true'}") -> Journey:
    """Return the journey, which the schema has to accept too."""
    text = journey_text(steps, enter=enter)
    VALIDATOR.validate(as_data(text))
    return parse_journey(text)


def entered(enter: str, *keys: str) -> Journey:
    """Return a journey with this ``enter`` and further ``keys`` on lines of their own."""
    text = journey_text(enter=enter) + "".join(f"{key}\n" for key in keys)
    VALIDATOR.validate(as_data(text))
    return parse_journey(text)


def refusal(text: str) -> str:
    with pytest.raises(JourneyError) as refused:
        parse_journey(text, name_hint="a.yaml")
    return str(refused.value)


def hello(key: str = "hello", when: str | None = None) -> Send:
    return Send(key, Channel("email"), "hello", when)


def first(steps: str) -> Step:
    return read(f"{steps}\n- {HELLO}").steps[0]


# Entering


def test_event_lets_in_those_who_match() -> None:
    journey = entered(
        "{on: product_viewed, times: 3, within: 2 days, audience: tier <> 'gone'}",
    )
    assert journey.trigger == Trigger("product_viewed", 3, 2 * DAY)
    assert journey.audience == "tier <> 'gone'"


def test_event_alone_lets_everyone_in_at_once() -> None:
    journey = entered("{on: cart_abandoned}")
    assert (journey.trigger, journey.audience) == (Trigger("cart_abandoned", 1, DAY), "true")


def test_word_for_behaviour_is_the_event_it_stands_for() -> None:
    journey = entered("{on: viewed}", "exit: [visited, order]")
    assert journey.trigger == Trigger("view")
    assert journey.exits == {"visit", "order"}


def test_date_that_draws_near_is_a_condition_over_the_profile() -> None:
    journey = entered("{date: refill_due_on, days_before: 14, audience: orders_count > 1}")
    assert journey.trigger is None
    assert journey.audience == (
        "refill_due_on >= current_date and refill_due_on <= current_date + interval 14 days "
        "and (orders_count > 1)"
    )
    assert parse_predicate(journey.audience).columns == {"refill_due_on", "orders_count"}


def test_an_audience_beside_a_date_may_say_why() -> None:
    journey = entered("{date: refill_due_on, audience: 'orders_count > 1 -- who knows us'}")
    assert parse_predicate(journey.audience).columns == {"refill_due_on", "orders_count"}


def test_date_without_days_before_is_the_day_itself() -> None:
    assert entered("{date: refill_due_on}").audience == "refill_due_on = current_date"


@pytest.mark.parametrize(
    ("text", "over"), [("all", timedelta(0)), ("none", None), ("spread over 2 weeks", 14 * DAY)]
)
def test_backfill_is_all_none_or_spread(text: str, over: timedelta | None) -> None:
    assert entered("{audience: 'true'}", f"backfill: {text}").backfill == over


@pytest.mark.parametrize(
    ("text", "share"), [("5%", 0.05), ("7%", 0.07), ("0.1%", 0.001), ("100%", 1.0), ("0.25", 0.25)]
)
def test_pilot_is_a_share(text: str, share: float) -> None:
    assert entered("{audience: 'true'}", f"start: {text}").pilot == share


def test_topic_goal_and_exits_are_named() -> None:
    text = journey_text().replace("on: order", "on: payment_recovered")
    journey = parse_journey(f"{text}topic: baskets\nexit: [login, payment_recovered]\n")
    assert (journey.topic, journey.goal.on) == ("baskets", "payment_recovered")
    assert journey.exits == {"login", "payment_recovered"}


# Waiting


def test_behaviour_may_shorten_a_wait() -> None:
    wait = first("- wait: {for: 5 days, or_on: [visited, cart_abandoned]}")
    assert wait == Wait("wait", 5 * DAY, frozenset({"visit", "cart_abandoned"}))
    assert first("- wait: {for: 5 days}") == Wait("wait", 5 * DAY)


@pytest.mark.parametrize(
    ("until", "events"),
    [
        ("clicked", {"click"}),
        ("cart_abandoned", {"cart_abandoned"}),
        ("[opened, replied, survey_filled]", {"open", "reply", "survey_filled"}),
    ],
)
def test_wait_until_an_event_is_bounded(until: str, events: set[str]) -> None:
    wait = first(f"- wait: {{until: {until}, at_most: 5 days}}")
    assert wait == WaitForEvent("wait", frozenset(events), 5 * DAY)


@pytest.mark.parametrize(
    ("until", "clock", "weekday"),
    [
        ("'09:30'", time(9, 30), None),
        ("monday", None, 0),
        ("sun", None, 6),
        ("friday 16:05", time(16, 5), 4),
    ],
)
def test_wait_until_a_local_time(until: str, clock: time | None, weekday: int | None) -> None:
    assert first(f"- wait: {{until: {until}}}") == WaitForTime("wait", clock, weekday)


def test_time_of_day_needs_no_quotes() -> None:
    text = journey_text(f"- wait: {{until: 09:30}}\n- {HELLO}")
    assert parse_journey(text).steps[0] == WaitForTime("wait", time(9, 30))


def test_wait_until_a_date_of_the_profile_is_bounded_by_a_year() -> None:
    wait = first("- wait: {until: {date: refill_due_on, days_before: 3}, at_most: 60 days}")
    assert wait == WaitForDate("wait", "refill_due_on", 60 * DAY, 3)
    assert first("- wait: {until: {date: refill_due_on}}") == WaitForDate(
        "wait", "refill_due_on", 366 * DAY
    )


# Branching

TREE = f"""
- {HELLO}
- wait: {{until: clicked, at_most: 5 days}}
- branch:
    - when: clicked
      steps:
        - {HELLO}
    - when: value_band = 'high' and not visited
      steps:
        - branch:
            - when: did('cart_abandoned')
              steps: [wait: 1 day, end]
    - otherwise:
        - when: opened
          {HELLO}
        - end: ""
- wait: 1 day
"""


def test_branches_stand_in_each_other() -> None:
    inner = Branch(
        "branch#2",
        (Way("did('cart_abandoned')", (Wait("wait#2", DAY), End("end"))),),
    )
    branch = Branch(
        "branch",
        (
            Way("clicked", (hello("hello#2"),)),
            Way("value_band = 'high' and not visited", (inner,)),
            Way(None, (hello("hello#3", "opened"), End("end#2"))),
        ),
    )
    assert read(TREE).steps[2:] == (branch, Wait("wait#3", DAY))


def test_every_condition_and_send_of_a_tree_is_found() -> None:
    journey = read(TREE)
    assert [send.key for send in journey.sends] == ["hello", "hello#2", "hello#3"]
    assert journey.conditions == (
        "clicked",
        "value_band = 'high' and not visited",
        "did('cart_abandoned')",
        "opened",
    )


def test_variants_are_drawn_from() -> None:
    send = first("- send: {channel: email, template: nudge, variants: [warm, brief]}")
    assert isinstance(send, Send)
    assert send.variants == (Variant("warm"), Variant("brief"))
    assert send.measure is Measure.RETURNED


def test_variant_changes_subject_or_template_and_takes_its_share() -> None:
    send = read(
        """
        - send:
            channel: email
            template: nudge
            measure: clicked
            variants:
              - {name: warm, subject: "Still there, {{ first_name }}?", share: 50%}
              - {name: brief, template: nudge-brief}
              - plain
        """
    ).steps[0]
    assert isinstance(send, Send)
    assert send.measure is Measure.CLICKED
    assert [(one.name, one.weight) for one in send.variants] == [
        ("warm", 0.5), ("brief", 0.25), ("plain", 0.25),
    ]  # fmt: skip
    assert [one.template for one in send.wordings] == ["nudge", "nudge-brief", "nudge"]
    assert send.wordings[0].subject == "Still there, {{ first_name }}?"


# Keys


def test_step_goes_by_its_id_wherever_it_stands() -> None:
    journey = read(
        """
        - send: {channel: email, template: hello, id: warm-hello}
        - send: {channel: email, template: hello}
        - {wait: 5 days, id: breath}
        - {branch: [{when: clicked, steps: [{end: "", id: done}]}], id: fork}
        """
    )
    assert [step.key for step in journey.all_steps] == [
        "warm-hello", "hello", "breath", "fork", "done",
    ]  # fmt: skip


def test_template_named_like_a_word_shares_its_numbers() -> None:
    journey = read("- send: {channel: email, template: wait}\n- wait: 5 days")
    assert [step.key for step in journey.steps] == ["wait", "wait#2"]


# Refused: the steps, the line of the complaint and words it must hold.

BRANCH = "- branch:\n    - when: clicked\n      steps:\n        - {}\n    - {}\n- {}"
TESTED = "- send: {{channel: email, template: a, variants: {}}}"
REFUSED_BY_BOTH = [
    ("- wait: {until: clicked}", 5, "this may wait for ever; add at_most: 5 days"),
    ("- wait: {until: [clicked, visited]}", 5, "this may wait for ever"),
    ("- wait: {until: [], at_most: 5 days}", 5, "this list is empty; name an event"),
    ("- wait: {until: 'Cart', at_most: 5 days}", 5, "'Cart' is no event"),
    ("- wait: {until: complaint, at_most: 5 days}", 5, "always ends a journey"),
    ("- wait: {until: '25:00'}", 5, "'25:00' is no time of day"),
    ("- wait: {until: '09:60'}", 5, "from 00:00 to 23:59"),
    ("- wait: {until: mondey}", 5, "unknown weekday 'mondey'; did you mean 'monday'?"),
    ("- wait: {until: Monday}", 5, "did you mean 'monday'?"),
    ("- wait: {until: moonday 09:30}", 5, "unknown weekday 'moonday'"),
    ("- wait: {until: '09:30 Europe/London'}", 5, "local time and takes no zone"),
    ("- wait: {until: monday 09:30 UTC}", 5, "local time and takes no zone"),
    ("- wait: {until: '09:30', at_most: 2 days}", 5, "comes by itself; remove 'at_most'"),
    ("- wait: {until: {date: refil_due_on}}", 5, "did you mean 'refill_due_on'?"),
    ("- wait: {until: {date: tier}}", 5, "'tier' is no date; the dates are tier_since_on"),
    ("- wait: {until: {date: refill_due_on, days_before: -1}}", 5, "from 0 to 3660, not '-1'"),
    ("- wait: {until: {date: refill_due_on, days_after: 1}}", 5, "did you mean 'days_before'?"),
    ("- wait: {until: {days_before: 1}}", 5, "'date' is missing"),
    ("- wait: {until: clicked, for: 5 days, at_most: 1 day}", 5, "beside 'until'"),
    ("- wait: {for: 5 days, at_most: 5 days}", 5, "'at_most' bounds an 'until'"),
    ("- wait: {or_on: clicked}", 5, "'for' is missing"),
    ("- wait: {for: 0 days}", 5, "out of range"),
    ("- wait: [5 days]", 5, "a single value is needed"),
    ("- branch: []", 5, "this list is empty"),
    ("- branch: clicked", 5, "write - when: clicked with its steps"),
    ("- branch: [{when: clicked}]", 5, "'steps' is missing"),
    ("- branch: [{when: clicked, steps: []}]", 5, "this list is empty; begin each step"),
    ("- branch: [{steps: [end]}]", 5, "'when' is missing"),
    ("- branch: [{otherwise: [end]}]", 5, "a branch needs a way with 'when'"),
    ("- branch: [{when: clicked, otherwise: [end]}]", 5, "does not stand beside 'otherwise'"),
    ("- branch: [{when: clicked, then: [end]}]", 5, "unknown key 'then'; did you mean 'when'?"),
    ("- otherwise: [end]", 5, "the last way of a branch"),
    ("- goto: hello", 5, "there is no 'goto': a journey runs forwards only"),
    ("- wait: 5 days\n  repeat: 3", 6, "enters again, as 'reenter' says"),
    ("- end: now", 5, "write - end"),
    ("- stop", 5, "keys are needed here"),
    ("- wait: 5 days\n  end: ''", 5, "not both"),
    ("- wait: 5 days\n  id: No Name", 6, "'No Name' is no name"),
    ("- send: {channel: email, template: a, variants: [b]}", 5, "2 to 20 variants, not 1"),
    ("- send: {channel: email, template: a, variants: [b, b]}", 5, "'b' stands here twice"),
    ("- send: {channel: email, template: a, variants: []}", 5, "this list is empty; name at"),
    ("- send: {channel: email, template: a, destination: meta}", 5, "has no destination"),
    (TESTED.format("[{name: b, subject: ''}, c]"), 5, "a value is missing"),
    (TESTED.format("[{name: b, message: c}, c]"), 5, "unknown key 'message'"),
    (TESTED.format("[b, c], measure: opened"), 5, "opens say nothing about people"),
    (TESTED.format("[b, c], measure: sold"), 5, "unknown word 'sold'"),
    ("- send: {channel: email, template: a, measure: clicked}", 5, "variants, which are missing"),
    ("- send: {channel: email, template: a, offer: Ten Percent}", 5, "is no name"),
    ("- send: {channel: email, template: a, without_offer: send}", 5, "'offer', which is missing"),
    ("- send: {channel: email, template: a, offer: a, without_offer: go}", 5, "unknown word 'go'"),
]
REFUSED_BY_LOADER = [
    (TESTED.format("[{name: b, share: 0%}, c]"), 5, "write a share from 1%"),
    (TESTED.format("[{name: b, share: 60%}, {name: c, share: 40%}, d]"), 5, "leave nothing"),
    (TESTED.format("[{name: b, share: 50%}, {name: c, share: 40%}]"), 5, "make 90%, not 100%"),
    (f"- end\n- {HELLO}", 6, "nobody gets here"),
    (BRANCH.format("end", "otherwise: [end]", HELLO), 10, "nobody gets here"),
    (BRANCH.format("end", "when: true\n      steps: [end]", HELLO), 11, "nobody gets here"),
    (
        "- branch:\n    - when: clicked\n      steps:\n        - end\n        - end",
        9,
        "nobody gets",
    ),
    (
        "- branch:\n    - otherwise: [end]\n    - when: clicked\n      steps: [end]",
        7,
        "put that last",
    ),
    ("- branch:\n    - {when: 'true', steps: [end]}\n    - otherwise: [end]", 7, "put that last"),
    (BRANCH.format("end", "when: clicked\n      steps: [end]", HELLO), 9, "'clicked' too"),
    (BRANCH.format("end", "when: 'false'\n      steps: [end]", HELLO), 9, "can ever meet 'false'"),
    ("- branch:\n    - when: did('order')\n      steps: [end]", 6, "'order' ends this journey"),
    (
        "- branch:\n    - when: did('complaint')\n      steps: [end]",
        6,
        "'complaint' ends this journey",
    ),
    ("- branch:\n    - when: did('purchase')\n      steps: [end]", 6, "called 'order' here"),
    ("- branch:\n    - when: cliked\n      steps: [end]", 6, "unknown column 'cliked'"),
    (f"- when: tier = 'lapsed' and tier = 'active'\n  {HELLO}", 5, "nobody can ever meet"),
    (f"- when: orders_cuont > 2\n  {HELLO}", 5, "did you mean 'orders_count'?"),
    ("- wait: {until: order, at_most: 5 days}", 5, "'order' ends this journey"),
    ("- wait: {for: 5 days, or_on: [visit, order]}", 5, "'order' ends this journey"),
    ("- wait: {until: clicked, at_most: 4000 days}", 5, "out of range"),
    ("- {wait: 5 days, id: a}\n- {wait: 5 days, id: a}", 6, "the id 'a' stands on line 5 too"),
    (f"- {HELLO}\n- {{wait: 5 days, id: hello}}", 6, "the step on line 5 would both be called"),
    (f"- {{wait: 5 days, id: hello}}\n- {HELLO}", 6, "with that id on line 5 would both"),
    ("- send: {channel: email, template: a, id: b}\n  id: c", 5, "has an 'id' already"),
    ("- wait: 1 day\n" * 201, 205, "up to 200 steps"),
]


@pytest.mark.parametrize(("steps", "line", "words"), REFUSED_BY_BOTH + REFUSED_BY_LOADER)
def test_step_that_cannot_work_is_refused(steps: str, line: int, words: str) -> None:
    message = refusal(journey_text(f"{steps.rstrip()}\n- {HELLO}"))
    assert message.startswith(f"a.yaml, line {line}: ")
    assert words in message


@pytest.mark.parametrize("steps", [case[0] for case in REFUSED_BY_BOTH])
def test_schema_refuses_such_a_step_too(steps: str) -> None:
    text = journey_text(f"{steps}\n- {HELLO}")
    assert not VALIDATOR.is_valid(as_data(text))


@pytest.mark.parametrize(
    "second", ["when: visited\n      steps: [end]", "otherwise:\n        - wait: 1 day"]
)
def test_people_get_behind_a_branch_past_its_ways_or_through_one(second: str) -> None:
    assert len(read(BRANCH.format("end", second, HELLO)).steps) == 2


def nested(depth: int) -> str:
    lines = [f"- {HELLO}"]
    for _ in range(depth):
        lines = ["- branch:", "    - when: clicked", "      steps:", *(" " * 8 + x for x in lines)]
    return "\n".join(lines)


def test_branches_stand_in_each_other_up_to_five_deep() -> None:
    assert len(read(nested(5)).all_steps) == 6
    assert "line 20: branches stand in each other up to 5 deep" in refusal(journey_text(nested(6)))


def test_journey_that_only_branches_sends_nothing() -> None:
    silent = "- branch: [{when: clicked, steps: [wait: 1 day]}]"
    assert "line 5: no step sends anything" in refusal(journey_text(silent))


# Refused: enter, a further line, and words the complaint must hold.
ENTERING = [
    ("{on: cart_abandoned, times: 0, within: 1 day}", "", "from 1 to 1000, not '0'"),
    ("{on: cart_abandoned, times: 1001, within: 1 day}", "", "from 1 to 1000, not '1001'"),
    ("{on: cart_abandoned, times: 2.5, within: 1 day}", "", "a whole number"),
    ("{on: cart_abandoned, times: 3}", "", "write within: 2 days"),
    ("{audience: 'true', times: 3}", "", "'times' stands beside 'on' only"),
    ("{audience: 'true', within: 3 days}", "", "'within' stands beside 'on' only"),
    ("{audience: 'true', days_before: 3}", "", "'days_before' stands beside 'date' only"),
    ("{on: visit, date: refill_due_on}", "", "not both; make two journeys"),
    ("{on: opt_out}", "", "'opt_out' always ends a journey"),
    ("{date: refill_on}", "", "did you mean 'refill_due_on'?"),
    ("{date: refill_due_on, days_before: 1 week}", "", "from 0 to 3660, not '1 week'"),
    ("{on: visit}", "backfill: all", "there is no 'backfill' with 'enter: {on: …}'"),
    ("{audience: 'true'}", "backfill: some", "write 'all', 'none' or 'spread over 14 days'"),
    ("{audience: 'true'}", "backfill: spread over 0 days", "out of range"),
    ("{audience: 'true'}", "start: 0", "from 0.1% to 100%, such as 5% or 0.05, not '0'"),
    ("{audience: 'true'}", "start: 1", "not '1'"),
    ("{audience: 'true'}", "start: 5", "not '5'"),
    ("{audience: 'true'}", "start: half", "not 'half'"),
    ("{audience: 'true'}", "topic: My Topic", "'My Topic' is no name"),
]
ENTERING_BY_LOADER = [
    ("{on: order}", "", "both lets people in and ends the journey"),
    ("{on: visited}", "exit: [visit]", "both lets people in and ends the journey"),
    ("{audience: orders_count > 5 and orders_count < 3}", "", "nobody can ever meet"),
    ("{audience: tire = 'lapsed'}", "", "unknown column 'tire'"),
    ("{audience: clicked}", "", "clicked is known inside a journey's steps only"),
    ("{on: visit, audience: tier =}", "", "is not a condition"),
    ("{date: refill_due_on, audience: tier =}", "", "is not a condition"),
    ("{audience: 'true'}", "start: 0.01%", "not '0.01%'"),
    ("{audience: 'true'}", "start: 101%", "not '101%'"),
]


@pytest.mark.parametrize(("enter", "key", "words"), ENTERING + ENTERING_BY_LOADER)
def test_entrance_that_cannot_work_is_refused(enter: str, key: str, words: str) -> None:
    message = refusal(f"{journey_text(enter=enter)}{key}\n")
    line = 6 if key and "exit" not in key else 2
    assert message.startswith(f"a.yaml, line {line}: ")
    assert words in message


@pytest.mark.parametrize(("enter", "key"), [case[:2] for case in ENTERING])
def test_schema_refuses_such_an_entrance_too(enter: str, key: str) -> None:
    text = f"{journey_text(enter=enter)}{key}\n"
    assert not VALIDATOR.is_valid(as_data(text))


# Starters


@pytest.mark.parametrize("text", starter_journeys().values(), ids=starter_journeys())
def test_starter_says_how_it_begins_and_ends(text: str) -> None:
    journey = parse_journey(text)
    assert journey.trigger is not None or "\nbackfill:" in text
    # Who buys has come back; who is asked to confirm a yes is asked until they did.
    is_marketing = journey.purpose is Purpose.MARKETING
    assert ("\nexit: [order]" if is_marketing else "\nexit: [consent_confirmed]") in text


def test_a_basket_is_asked_about_twice_at_most() -> None:
    journey = parse_journey(starter_journeys()["abandoned-basket.yaml"])
    assert journey.trigger == Trigger("cart_abandoned")
    assert len(journey.sends) == 2


def test_welcome_back_watches_for_the_second_lapse() -> None:
    journey = parse_journey(starter_journeys()["welcome-back.yaml"])
    assert (journey.audience, journey.backfill) == ("tier = 'returned'", None)
    assert any(isinstance(step, WaitForDate) for step in journey.steps)
    assert journey.sends[-1].when == "tier in ('at_risk', 'lapsed')"


# The page


def test_every_key_is_on_the_page() -> None:
    page = (ROOT / "docs/reference/journey-file.md").read_text(encoding="utf-8")
    keys = {key for group in KEYS.values() for key in group}
    assert {key for key in keys if not re.search(rf"\b{key}\b", page)} == set()

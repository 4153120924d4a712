"""A journey file is read exactly, or refused with the line and what to write instead."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from rekindle.errors import JourneyError
from rekindle.journeys import (
    Goal,
    Send,
    Wait,
    journey_schema,
    load_journey,
    load_journeys,
    parse_journey,
    starter_journeys,
)
from rekindle.journeys.language.document import MAX_CHARACTERS
from rekindle.testing.book_contract import build_version
from rekindle.vocabulary import Channel, Purpose

WHOLE = """\
journey: lapsed-buyers
purpose: marketing
hypothesis: A check-in brings them back.
enter:
  audience: tier = 'lapsed' and orders_count >= 2
reenter: after 180 days
goal: {on: order, within: 30 days}
exit: [order]
holdout: 0.1
stale_after: 2 days
steps:
  - wait: 2 hours
  - send: {channel: email, template: check-in}
  - wait: 5 days
  - when: average_order_value >= 50
    send: {channel: email, template: nudge}
"""
LEAST = """\
journey: least
enter: {audience: orders_count > 0}
goal: {on: order, within: 2 weeks}
steps: [send: {channel: email, template: hello}]
"""
VALIDATOR = jsonschema.Draft202012Validator(journey_schema())


def as_data(text: str) -> Any:
    """Read YAML the way editors do: ``on`` is a word and numbers are numbers."""

    def convert(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: convert(item) for key, item in value.items()}
        if isinstance(value, list):
            return [convert(item) for item in value]
        return float(value) if re.fullmatch(r"-?[0-9.]+", value) else value

    return convert(yaml.load(text, Loader=yaml.BaseLoader))


def replaced(old: str, new: str) -> str:
    assert old in WHOLE
    return WHOLE.replace(old, new)


def refusal(text: str) -> str:
    with pytest.raises(JourneyError) as refused:
        parse_journey(text, name_hint="journeys/lapsed.yaml")
    return str(refused.value)


def test_whole_file_is_read() -> None:
    journey = parse_journey(WHOLE)
    assert journey.name == "lapsed-buyers"
    assert journey.audience == "tier = 'lapsed' and orders_count >= 2"
    assert journey.goal == Goal("order", timedelta(days=30))
    assert (journey.reenter, journey.holdout) == (timedelta(days=180), 0.1)
    assert (journey.stale_after, journey.text) == (timedelta(days=2), WHOLE)
    assert journey.steps == (
        Wait("wait", timedelta(hours=2)),
        Send("check-in", Channel("email"), "check-in"),
        Wait("wait#2", timedelta(days=5)),
        Send("nudge", Channel("email"), "nudge", "average_order_value >= 50"),
    )


def test_what_is_left_out_has_the_documented_default() -> None:
    journey = parse_journey(LEAST)
    assert (journey.purpose, journey.hypothesis) == (Purpose.MARKETING, "")
    assert (journey.reenter, journey.holdout) == (None, None)
    assert journey.exits == {"order"}
    assert (journey.trigger, journey.backfill) == (None, timedelta(0))
    assert (journey.pilot, journey.topic) == (1.0, "")
    assert journey.stale_after == timedelta(days=3)


@pytest.mark.parametrize(
    ("text", "share"), [("auto", None), ("none", 0.0), ("0.9", 0.9), ("60%", 0.6), ("7 %", 0.07)]
)
def test_holdout_is_automatic_absent_or_a_share(text: str, share: float | None) -> None:
    assert parse_journey(replaced("holdout: 0.1", f"holdout: {text}")).holdout == share


def test_journey_without_an_exit_is_ended_by_objections_only() -> None:
    assert parse_journey(replaced("exit: [order]", "exit: []")).exits == frozenset()


# Each: what is replaced, by what, the line of the complaint, and words it must hold.
REFUSED = [
    ("  audience:", "  audiance:", 5, "unknown key 'audiance'; did you mean 'audience'?"),
    ("holdout:", "holdout_share:", 9, "unknown key 'holdout_share'; did you mean 'holdout'?"),
    ("template: nudge", "templat: nudge", 16, "did you mean 'template'?"),
    ("within:", "xyz:", 7, "unknown key 'xyz'; known here: on, within"),
    ("journey: lapsed-buyers\n", "", 1, "'journey' is missing; write journey: lapsed-buyers"),
    ("lapsed-buyers", "Lapsed Buyers", 1, "'Lapsed Buyers' is no name"),
    ("lapsed-buyers", "a" * 65, 1, "is no name; write up to 64"),
    ("purpose: marketing", "purpose: promotion", 2, "unknown word 'promotion'"),
    ("purpose: marketing", "purpose: [marketing]", 2, "a single value is needed"),
    ("A check-in brings them back.", "", 3, "a value is missing here"),
    ("tier = 'lapsed' and orders_count >= 2", "", 5, "a value is missing here"),
    ("after 180 days", "180 days", 6, "write 'never' or 'after 180 days'"),
    ("after 180 days", "after 0 days", 6, "'0 days' is out of range"),
    ("after 180 days", "after a while", 6, "'a while' is no duration"),
    ("30 days", "0 days", 7, "'0 days' is out of range"),
    ("30 days", "a month", 7, "'a month' is no duration"),
    ("on: order", "on: purchase", 7, "'purchase' is called 'order' here"),
    ("on: order", "on: Bought", 7, "'Bought' is no event"),
    ("on: order", "on: complaint", 7, "'complaint' always ends a journey"),
    ("{on: order, within: 30 days}", "order", 7, "keys are needed here"),
    ("exit: [order]", "exit: order", 8, "'exit' is a list"),
    ("exit: [order]", "exit: [opt_out]", 8, "'opt_out' always ends a journey"),
    ("exit: [order]", "exit: [Log In]", 8, "'Log In' is no event"),
    ("exit: [order]", "exit: [2nd_order]", 8, "beginning with a letter"),
    ("holdout: 0.1", "holdout: 0", 9, "'none'"),
    ("holdout: 0.1", "holdout: 0.95", 9, "up to 0.9"),
    ("holdout: 0.1", "holdout: 95%", 9, "up to 0.9 (90%)"),
    ("holdout: 0.1", "holdout: nan", 9, "up to 0.9"),
    ("holdout: 0.1", "holdout: ten", 9, "not 'ten'"),
    ("2 hours", "until clicked", 12, "'until clicked' is no duration"),
    ("wait: 2 hours", "wait: 2 hours\n    when: orders_count > 2", 13, "beside 'send' only"),
    (
        "wait: 2 hours",
        "when: orders_count > 2",
        12,
        "a step needs 'send' or 'wait', 'branch' or 'end'",
    ),
    ("  - wait: 5 days\n  - when", "  - wait: 5 days\n    when", 14, "sends or waits, not both"),
    ("wait: 2 hours", "hold: 2 hours", 12, "unknown key 'hold'"),
    ("template: nudge", "template: nudge, destination: meta", 16, "has no destination"),
    ("template: nudge", "template: ../secrets", 16, "is no name"),
    (
        "channel: email, template: nudge",
        "channel: whatsapp, template: nudge",
        16,
        "'whatsapp' is not supp",
    ),
    ("channel: email, template: nudge", "channel: emial, template: nudge", 16, "mean 'email'?"),
    ("channel: email, template: nudge", "template: nudge", 16, "'channel' is missing"),
    ("purpose: marketing", "budget: 100", 2, "'budget' is not supported yet"),
    ("stale_after: 2 days", "stale_after: 99999999999999999999 days", 10, "is no duration"),
    ("stale_after: 2 days", "stale_after: 4000 days", 10, "out of range"),
]


@pytest.mark.parametrize(("old", "new", "line", "words"), REFUSED)
def test_mistake_is_named_with_its_line(old: str, new: str, line: int, words: str) -> None:
    message = refusal(replaced(old, new))
    assert message.startswith(f"journeys/lapsed.yaml, line {line}: ")
    assert words in message


# What only the loader sees: the schema has no wide enough view of lengths of time.
BEYOND_SCHEMA = ("4000 days", "99999999999999999999 days")


@pytest.mark.parametrize(("old", "new"), [case[:2] for case in REFUSED])
def test_schema_refuses_what_the_loader_refuses(old: str, new: str) -> None:
    if new.endswith(BEYOND_SCHEMA):
        return
    assert not VALIDATOR.is_valid(as_data(replaced(old, new)))


@pytest.mark.parametrize("text", [WHOLE, LEAST, *starter_journeys().values()])
def test_schema_accepts_what_the_loader_accepts(text: str) -> None:
    parse_journey(text)
    VALIDATOR.validate(as_data(text))


def test_schema_is_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(journey_schema())


def test_journey_that_sends_nothing_is_refused() -> None:
    silent = LEAST.replace("send: {channel: email, template: hello}", "wait: 5 days")
    assert "line 4: no step sends anything" in refusal(silent)
    assert "line 4: no step sends anything" in refusal(silent.replace("wait: 5 days", ""))
    assert not VALIDATOR.is_valid(as_data(silent))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("# only a comment\n", "is empty"),
        ("- a list\n", "line 1: a journey begins with a key"),
        ("journey: [unclosed\n", "not valid YAML: a bracket is not closed"),
        ("journey: a\n\tpurpose: b\n", "line 2, column 1: not valid YAML: a tab"),
        ("journey: a\n---\njourney: b\n", "line 2, column 1: not valid YAML: a line '---'"),
        ("journey: a\x00b\n", "not valid YAML: it holds a character"),
        ("journey: a: b\n", "line 1, column 11: not valid YAML: a colon stands where none can"),
        ("holdout: auto\njourney a\n", "not valid YAML: a key has no colon"),
        ("journey: 'a\n", "not valid YAML: a quote or a bracket is not closed"),
        ("journey: @a\n", "line 1, column 10: not valid YAML: a value begins with a sign"),
        ("steps:\n  - a\n - b\n", "line 3, column 2: not valid YAML: this is indented unlike"),
        ("journey: a\njourney: b\n", "line 2: 'journey' stands here twice"),
        ("? [a, b]\n: c\n", "line 1: a key is a single word"),
        ("a: &x [1]\nb: *x\n", "line 1: anchors (&) and aliases (*) are not read"),
        ("a: 1\nb: !!python/object:os.system x\n", "line 2: tags (!) are not read"),
        ("a: " + "[" * 50 + "]" * 50, "nested more than 30 deep"),
        ("a" * (MAX_CHARACTERS + 1), "has more than 65,536 characters"),
    ],
)
def test_what_is_no_plain_yaml_mapping_is_refused(text: str, words: str) -> None:
    message = refusal(text)
    assert message.startswith("journeys/lapsed.yaml")
    assert words in message


def test_contract_journey_reads_as_the_journey_it_stands_for() -> None:
    for version in (build_version(), build_version(purpose=Purpose.TRANSACTIONAL)):
        assert parse_journey(version.journey.text) == version.journey
    loyal = build_version(exits=frozenset()).journey
    assert parse_journey(loyal.text) == loyal


def test_starter_journey_is_a_small_second_and_conditional_third_message() -> None:
    journey = parse_journey(starter_journeys()["lapsed-buyers.yaml"])
    assert [send.template for send in journey.sends] == ["check-in", "new-arrivals", "nudge"]
    assert [send.when is not None for send in journey.sends] == [False, False, True]
    assert (journey.holdout, journey.reenter) == (None, timedelta(days=180))


def test_folder_is_read_in_order_of_file_name(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(WHOLE)
    (tmp_path / "a.yml").write_text(LEAST)
    (tmp_path / "notes.txt").write_text("not a journey")
    assert [one.name for one in load_journeys(tmp_path)] == ["least", "lapsed-buyers"]


def test_two_files_of_one_journey_are_refused(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(LEAST)
    with pytest.raises(JourneyError, match=r"b\.yaml and .*a\.yaml both define .*'least'"):
        load_journeys(tmp_path)


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"journey: caf\xe9\n")
    large = tmp_path / "large.yaml"
    large.write_text("#" * (4 * MAX_CHARACTERS + 1))
    for path, words in [
        (tmp_path / "missing.yaml", "does not exist"),
        (tmp_path, "cannot be read"),
        (latin, "is not UTF-8"),
        (large, "is too large"),
    ]:
        with pytest.raises(JourneyError, match=words):
            load_journey(path)
    with pytest.raises(JourneyError, match="is not a folder"):
        load_journeys(latin)


DATES = ("", ", read_on: 2027-01-31", ", read_on: 31.1.2027")


def test_a_reading_date_is_a_day() -> None:
    text = (
        "journey: shown\nenter: {audience: 'true'}\ngoal: {on: order, within: 30 days%s}\nsteps:\n"
    )
    text += "  - send: {channel: email, template: nudge}\n"
    plain, dated = (parse_journey(text % more, name_hint="shown") for more in DATES[:2])
    assert plain.goal.read_on is None
    assert dated.goal.read_on == date(2027, 1, 31)
    with pytest.raises(JourneyError, match="write a day as 2027-01-31"):
        parse_journey(text % DATES[2], name_hint="shown")
    with pytest.raises(JourneyError, match="from 1970 to 2199"):
        parse_journey(text % ", read_on: 9999-12-31", name_hint="shown")

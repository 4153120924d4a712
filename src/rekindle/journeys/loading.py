"""A journey file becomes a ``Journey``, or one message that says what to change.

Everything is checked by hand over the YAML tree, because a message that names the
line, the key and the nearest known word is worth more here than a generic validator.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from rekindle.config import parse_duration
from rekindle.errors import JourneyError
from rekindle.journeys.document import (
    MAX_CHARACTERS,
    Entry,
    Items,
    Scalar,
    Section,
    check_keys,
    read_document,
    refuse,
    suggest,
)
from rekindle.journeys.model import Goal, Journey, Send, Step, Wait
from rekindle.vocabulary import Channel, Purpose, SignalKind

Value = TypeVar("Value")

KEYS: Mapping[str, tuple[str, ...]] = {
    "": (
        "journey",
        "purpose",
        "hypothesis",
        "enter",
        "reenter",
        "goal",
        "exit",
        "holdout",
        "stale_after",
        "steps",
    ),
    "enter": ("audience",),
    "goal": ("on", "within"),
    "step": ("send", "wait", "when"),
    "send": ("channel", "template"),
}
# Parts of the language that a later version will read; refused with that word until then.
LATER: Mapping[str, tuple[str, ...]] = {
    "": ("start", "backfill", "budget"),
    "enter": ("on", "times"),
    "goal": (),
    "step": ("branch", "otherwise"),
    "send": ("variants", "offer", "destination"),
}
LATER_CHANNELS = ("audience", "direct_mail", "letter", "push", "sms", "task", "webhook", "whatsapp")
LATER_SIGNALS = ("click", "login", "reply", "resume", "visit")
SIGNALS = (SignalKind.ORDER.value,)
ALWAYS_EXITS = tuple(kind.value for kind in SignalKind if kind is not SignalKind.ORDER)
NAME_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
TEMPLATE_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"
MAX_NAME = 64
MAX_HOLDOUT = 0.9
MAX_DURATION = timedelta(days=3660)
STALE_AFTER = "3 days"


def load_journeys(folder: Path) -> tuple[Journey, ...]:
    """Return the journeys of every ``.yaml`` and ``.yml`` file, in order of file name.

    Raises:
        JourneyError: the folder is missing, a file cannot be used, or two files name
            the same journey.
    """
    if not folder.is_dir():
        raise JourneyError(f"{folder} is not a folder; journey files belong there")
    found: dict[str, Path] = {}
    journeys = []
    for path in sorted(folder.iterdir()):
        if path.suffix not in {".yaml", ".yml"}:
            continue
        journey = load_journey(path)
        if journey.name in found:
            raise JourneyError(
                f"{path} and {found[journey.name]} both define the journey "
                f"{journey.name!r}; rename one"
            )
        found[journey.name] = path
        journeys.append(journey)
    return tuple(journeys)


def load_journey(path: Path) -> Journey:
    """Return the journey that ``path`` defines.

    Raises:
        JourneyError: the file cannot be read, or used as it is.
    """
    try:
        if path.stat().st_size > 4 * MAX_CHARACTERS:
            raise JourneyError(f"{path} is too large to be a journey file")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise JourneyError(f"{path} does not exist") from error
    except OSError as error:
        raise JourneyError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise JourneyError(f"{path} is not UTF-8 text; save it as UTF-8") from error
    return parse_journey(text, name_hint=str(path))


def parse_journey(text: str, *, name_hint: str = "journey") -> Journey:
    """Return the journey that ``text`` defines; ``name_hint`` is its name in messages.

    The audience and the conditions are taken as they stand: only the caller knows the
    columns to check them against.

    Raises:
        JourneyError: naming the line, what is wrong and what to write instead.
    """
    file = read_document(text, file=name_hint)
    check_keys(file, KEYS[""], later=LATER[""])
    return Journey(
        name=_named(_need(file, "journey", "journey: lapsed-buyers"), NAME_PATTERN),
        audience=_read_audience(file),
        goal=_read_goal(file),
        steps=_read_steps(file),
        purpose=_optional(file, "purpose", _read_purpose, Purpose.MARKETING),
        hypothesis=_optional(file, "hypothesis", _filled, ""),
        reenter=_optional(file, "reenter", _read_reenter, None),
        exits=_optional(file, "exit", _read_exits, frozenset({SignalKind.ORDER})),
        holdout=_optional(file, "holdout", _read_holdout, None),
        stale_after=_optional(file, "stale_after", _duration, parse_duration(STALE_AFTER)),
        text=text,
    )


def _read_audience(file: Section) -> str:
    enter = _section(_need(file, "enter", "enter: {audience: tier = 'lapsed'}"))
    check_keys(enter, KEYS["enter"], later=LATER["enter"])
    return _filled(_need(enter, "audience", "audience: tier = 'lapsed'"))


def _read_goal(file: Section) -> Goal:
    goal = _section(_need(file, "goal", "goal: {on: order, within: 30 days}"))
    check_keys(goal, KEYS["goal"])
    on = _choice(_need(goal, "on", "on: order"), SIGNALS, later=LATER_SIGNALS)
    return Goal(SignalKind(on), _duration(_need(goal, "within", "within: 30 days")))


def _read_purpose(entry: Entry) -> Purpose:
    return Purpose(_choice(entry, [purpose.value for purpose in Purpose]))


def _read_reenter(entry: Entry) -> timedelta | None:
    text = _filled(entry)
    if text == "never":
        return None
    if not text.startswith("after "):
        refuse(entry, f"write 'never' or 'after 180 days', not {text!r}")
    return _to_duration(entry, text.removeprefix("after "))


def _read_exits(entry: Entry) -> frozenset[SignalKind]:
    if not isinstance(entry, Items):
        refuse(entry, "'exit' is a list; write exit: [order]")
    for item in entry:
        if isinstance(item, Scalar) and item.text in ALWAYS_EXITS:
            refuse(item, f"{item.text!r} always ends a journey; leave it out")
    names = [_choice(item, SIGNALS, later=LATER_SIGNALS) for item in entry]
    return frozenset(SignalKind(name) for name in names)


def _read_holdout(entry: Entry) -> float | None:
    text = _filled(entry)
    if text == "auto":
        return None
    if text == "none":
        return 0.0
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 < share <= MAX_HOLDOUT:
        refuse(
            entry,
            f"the holdout is 'auto', 'none' or a share above 0 and up to {MAX_HOLDOUT}, "
            f"such as 0.1, not {text!r}",
        )
    return share


def _read_steps(file: Section) -> tuple[Step, ...]:
    entry = _need(file, "steps", "steps with at least one send")
    if not isinstance(entry, Items):
        refuse(entry, "'steps' is a list; begin each step with a dash")
    steps = tuple(_read_step(_section(item), str(key)) for key, item in enumerate(entry))
    if not any(isinstance(step, Send) for step in steps):
        refuse(entry, "no step sends anything; add - send: {channel: email, template: NAME}")
    return steps


def _read_step(step: Section, key: str) -> Step:
    check_keys(step, KEYS["step"], later=LATER["step"])
    send, wait, when = step.get("send"), step.get("wait"), step.get("when")
    if send is not None and wait is not None:
        refuse(step, "a step sends or waits, not both; begin another with a dash")
    if send is not None:
        return _read_send(_section(send), key, None if when is None else _filled(when))
    if wait is None:
        refuse(step, "a step needs 'send' or 'wait'")
    if when is not None:
        refuse(step, "'when' stands beside 'send' only", line=step.lines["when"])
    if isinstance(wait, Section):
        refuse(wait, "waiting until something happens is not supported yet; write wait: 5 days")
    return Wait(key, _duration(wait))


def _read_send(send: Section, key: str, when: str | None) -> Send:
    check_keys(send, KEYS["send"], later=LATER["send"])
    channels = [channel.value for channel in Channel]
    channel = _choice(_need(send, "channel", "channel: email"), channels, later=LATER_CHANNELS)
    template = _named(_need(send, "template", "template: check-in"), TEMPLATE_PATTERN)
    return Send(key, Channel(channel), template, when)


def _need(section: Section, key: str, example: str) -> Entry:
    entry = section.get(key)
    if entry is None:
        refuse(section, f"{key!r} is missing; write {example}")
    return entry


def _optional(section: Section, key: str, read: Callable[[Entry], Value], default: Value) -> Value:
    entry = section.get(key)
    return default if entry is None else read(entry)


def _section(entry: Entry) -> Section:
    if not isinstance(entry, Section):
        refuse(entry, "keys are needed here, such as {channel: email, template: check-in}")
    return entry


def _filled(entry: Entry) -> str:
    if not isinstance(entry, Scalar):
        refuse(entry, "a single value is needed here")
    if not entry.text:
        refuse(entry, "a value is missing here")
    return entry.text


def _choice(entry: Entry, known: Collection[str], *, later: Collection[str] = ()) -> str:
    word = _filled(entry)
    if word in later:
        refuse(entry, f"{word!r} is not supported yet; known here: {', '.join(known)}")
    if word not in known:
        refuse(entry, f"unknown word {word!r}{suggest(word, known)}")
    return word


def _named(entry: Entry, pattern: str) -> str:
    name = _filled(entry)
    if len(name) > MAX_NAME or re.fullmatch(pattern, name) is None:
        refuse(
            entry,
            f"{name!r} is no name; write up to {MAX_NAME} small letters, digits and hyphens",
        )
    return name


def _duration(entry: Entry) -> timedelta:
    return _to_duration(entry, _filled(entry))


def _to_duration(entry: Entry, text: str) -> timedelta:
    try:
        duration = parse_duration(text)
    except (ValueError, OverflowError):
        refuse(entry, f"{text!r} is no duration; write a number and a unit, like '5 days'")
    if not timedelta(0) < duration <= MAX_DURATION:
        refuse(entry, f"{text!r} is out of range; a duration is above 0 and up to ten years")
    return duration

"""A journey file becomes a ``Journey``, or one message that says what to change.

Everything is checked by hand over the YAML tree, because a message that names the
line, the key and the nearest known word is worth more here than a generic validator.
"""

from __future__ import annotations

from pathlib import Path

from rekindle.config import parse_duration
from rekindle.errors import JourneyError
from rekindle.journeys.language.conditions import read_event
from rekindle.journeys.language.document import (
    MAX_CHARACTERS,
    Entry,
    Items,
    Scalar,
    Section,
    check_keys,
    read_document,
    refuse,
)
from rekindle.journeys.language.entering import (
    read_backfill,
    read_entrance,
    read_pilot,
    read_reenter,
)
from rekindle.journeys.language.steps import read_steps
from rekindle.journeys.language.values import (
    as_section,
    choice,
    day,
    duration,
    filled,
    named,
    need,
    optional,
    share,
)
from rekindle.journeys.language.words import (
    KEYS,
    LATER,
    MAX_HOLDOUT,
    NAME_PATTERN,
    PAYMENT_CLEARED,
    PAYMENT_DROPPED,
    PAYMENT_FAILED,
    STALE_AFTER,
)
from rekindle.journeys.model import Goal, Journey
from rekindle.vocabulary import Purpose, SignalKind


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


def find_journey(folder: Path, name: str) -> Journey:
    """Return the journey that a file of ``folder`` holds, by its name or path.

    Raises:
        JourneyError: there is no such journey, or its file cannot be used.
    """
    for path in (folder / f"{name}.yaml", folder / f"{name}.yml", Path(name)):
        if path.is_file():
            return load_journey(path)
    known = sorted(path.stem for path in folder.glob("*.y*ml"))
    raise JourneyError(
        f"no journey {name!r} in {folder}; there "
        + (f"are {', '.join(known)}" if known else "are none")
    )


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


def parse_journey(text: str, *, name_hint: str = "journey", any_channel: bool = False) -> Journey:
    """Return the journey that ``text`` defines; ``name_hint`` is its name in messages.

    With ``any_channel`` it may write through channels that are not installed: what was
    started once can be read for ever.

    Raises:
        JourneyError: naming the line, what is wrong and what to write instead.
    """
    file = read_document(text, file=name_hint)
    check_keys(file, KEYS[""], later=LATER[""])
    exits = _exits(file)
    entrance = read_entrance(file, exits)
    journey = Journey(
        name=named(need(file, "journey", "journey: lapsed-buyers"), NAME_PATTERN),
        audience=entrance.audience,
        goal=_read_goal(file),
        steps=read_steps(file, exits, any_channel=any_channel),
        purpose=optional(file, "purpose", _read_purpose, Purpose.MARKETING),
        hypothesis=optional(file, "hypothesis", filled, ""),
        reenter=optional(file, "reenter", read_reenter, None),
        exits=exits,
        holdout=optional(file, "holdout", _read_holdout, None),
        stale_after=optional(file, "stale_after", duration, parse_duration(STALE_AFTER)),
        text=text,
        trigger=entrance.trigger,
        backfill=read_backfill(file, entrance),
        pilot=optional(file, "start", read_pilot, 1.0),
        topic=optional(file, "topic", lambda entry: named(entry, NAME_PATTERN), ""),
    )
    if journey.purpose is not Purpose.MARKETING and any(send.offer for send in journey.sends):
        refuse(need(file, "steps", ""), "an offer is marketing; remove it or the purpose")
    return journey


def _exits(file: Section) -> frozenset[str]:
    """Return what ends the journey: an order, where the file does not say.

    One about a payment that failed ends when the money came or is not asked for any more,
    whatever the file says; an order alone does not end it, as nothing is paid by that.
    """
    enter = file.get("enter")
    on = enter.get("on") if isinstance(enter, Section) else None
    is_of_payment = isinstance(on, Scalar) and on.text == PAYMENT_FAILED
    usual = frozenset() if is_of_payment else frozenset({SignalKind.ORDER.value})
    exits = optional(file, "exit", _read_exits, usual)
    return exits | {PAYMENT_CLEARED, PAYMENT_DROPPED} if is_of_payment else exits


def _read_goal(file: Section) -> Goal:
    goal = as_section(need(file, "goal", "goal: {on: order, within: 30 days}"))
    check_keys(goal, KEYS["goal"])
    on = read_event(need(goal, "on", "on: order"))
    read_on = optional(goal, "read_on", day, None)
    return Goal(on, duration(need(goal, "within", "within: 30 days")), read_on)


def _read_purpose(entry: Entry) -> Purpose:
    return Purpose(choice(entry, [purpose.value for purpose in Purpose]))


def _read_exits(entry: Entry) -> frozenset[str]:
    if not isinstance(entry, Items):
        refuse(entry, "'exit' is a list; write exit: [order]")
    return frozenset(read_event(item) for item in entry)


def _read_holdout(entry: Entry) -> float | None:
    text = filled(entry)
    if text == "auto":
        return None
    if text == "none":
        return 0.0
    found = share(text)
    if not 0 < found <= MAX_HOLDOUT:
        refuse(
            entry,
            f"the holdout is 'auto', 'none' or a share above 0 and up to {MAX_HOLDOUT} (90%), "
            f"such as 0.1, not {text!r}",
        )
    return found

"""The JSON Schema of a journey file, so that editors complete and check it.

It is built from the words the loader knows. The loader is the judge: it also sees what
a schema cannot, such as a step that nobody reaches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rekindle.config import DURATION_UNITS, EVENT_PATTERN, known_channels
from rekindle.journeys.language.words import (
    ALWAYS_EXITS,
    DATE_AT_MOST,
    MAX_DAYS,
    MAX_HOLDOUT,
    MAX_NAME,
    MAX_SUBJECT,
    MAX_TIMES,
    MAX_VARIANTS,
    MIN_PILOT,
    MIN_SHARE,
    NAME_PATTERN,
    ORDER_WORDS,
    STALE_AFTER,
    TEMPLATE_PATTERN,
    TIME_PATTERN,
    TRIGGER_WITHIN,
    WEEKDAYS,
    WITHOUT_OFFER,
    date_columns,
)
from rekindle.journeys.model import Measure
from rekindle.vocabulary import Purpose, SignalKind

Schema = dict[str, Any]

_DURATION = rf"0*[1-9][0-9]*\s+({'|'.join(DURATION_UNITS)})s?"
OFFER_PATTERN = rf"^(ladder\s+)?{NAME_PATTERN.strip('^$')}$"
_WEEKDAY = f"({'|'.join(WEEKDAYS)})"


def journey_schema() -> Schema:
    """Return the schema (JSON Schema, draft 2020-12) of a journey file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rekindle journey",
        "description": "Who is written to, when, with what, and what ends it.",
        **_object(
            {**_people(), **_conduct(), "steps": _steps()},
            required=["journey", "enter", "goal", "steps"],
        ),
        "if": _object({"enter": {"required": ["on"]}}, required=["enter"], closed=False),
        "then": {"properties": {"backfill": False}},
        "$defs": {
            **_values(),
            "step": {"oneOf": _every_step()},
            "way": _way(),
            "variant": _variant(),
        },
    }


def _people() -> Schema:
    return {
        "journey": {"$ref": "#/$defs/name", "description": "The journey's name."},
        "purpose": {
            "enum": [purpose.value for purpose in Purpose],
            "default": Purpose.MARKETING.value,
            "description": "Marketing needs permission and is capped; transactional is not.",
        },
        "topic": {"$ref": "#/$defs/name", "description": "What a person may mute by itself."},
        "hypothesis": {"type": "string", "pattern": r"\S", "description": "What you expect."},
        "enter": {
            "oneOf": [_by_event(), _by_audience(), _by_date()],
            "description": "Who enters: by matching, by an event, or as a date draws near.",
        },
        "backfill": {
            "type": "string",
            "pattern": rf"^(all|none|spread over\s+{_DURATION})$",
            "default": "all",
            "description": "What happens to those who match already when the journey starts.",
        },
        "start": {
            "oneOf": [
                {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*%$"},
                {"type": "number", "minimum": MIN_PILOT, "exclusiveMaximum": 1},
            ],
            "examples": ["5%"],
            "description": "The share of people who may enter at first; all without it.",
        },
        "reenter": {
            "type": "string",
            "pattern": rf"^(never|after\s+{_DURATION})$",
            "default": "never",
            "description": "Whether a person may enter again, and how long after entering.",
        },
    }


def _conduct() -> Schema:
    return {
        "goal": {
            **_object(
                {
                    "on": {"$ref": "#/$defs/event"},
                    "within": {"$ref": "#/$defs/duration"},
                    "read_on": {
                        "type": "string",
                        "format": "date",
                        "description": "The day at whose end the figures are read.",
                    },
                },
                required=["on", "within"],
            ),
            "description": "What counts as success in a report; it ends nothing.",
        },
        "exit": {
            "type": "array",
            "items": {"$ref": "#/$defs/event"},
            "default": [SignalKind.ORDER.value],
            "description": "What ends it; opt-out, complaint and bounce always do.",
        },
        "holdout": {
            "oneOf": [
                {"enum": ["auto", "none"]},
                {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_HOLDOUT},
                # Percentages up to 90, the same bounds as text.
                {
                    "type": "string",
                    "pattern": r"^(?:(?!0+\.?0*\s*%)[1-8]?[0-9](?:\.[0-9]+)?|90)\s*%$",
                },
            ],
            "default": "auto",
            "description": "The share of people left out so that the lift can be measured.",
        },
        "stale_after": {
            "$ref": "#/$defs/duration",
            "default": STALE_AFTER,
            "description": "A message later than this is skipped.",
        },
    }


def _steps() -> Schema:
    return {
        "$ref": "#/$defs/steps",
        "contains": {"anyOf": [{"required": ["send"]}, {"required": ["branch"]}]},
        "description": "What happens, one after the other.",
    }


def _values() -> Schema:
    return {
        "name": {"type": "string", "pattern": NAME_PATTERN, "maxLength": MAX_NAME},
        "predicate": {
            "type": "string",
            "pattern": r"\S",
            "examples": ["tier = 'lapsed' and orders_count >= 2", "clicked and not visited"],
        },
        "duration": {
            "type": "string",
            "pattern": rf"^{_DURATION}$",
            "examples": ["5 days", "16 hours", "2 weeks"],
        },
        "event": {
            "type": "string",
            "pattern": EVENT_PATTERN,
            "maxLength": MAX_NAME,
            "not": {"enum": [*ALWAYS_EXITS, *ORDER_WORDS]},
            "examples": ["order", "visit", "cart_abandoned"],
        },
        "events": {
            "oneOf": [
                {"$ref": "#/$defs/event"},
                {"type": "array", "items": {"$ref": "#/$defs/event"}, "minItems": 1},
            ]
        },
        "date": {"enum": list(date_columns()), "description": "A date of the profile."},
        "days": {"type": "integer", "minimum": 0, "maximum": MAX_DAYS, "default": 0},
        "steps": {"type": "array", "items": {"$ref": "#/$defs/step"}, "minItems": 1},
    }


def _by_event() -> Schema:
    return {
        **_object(
            {
                "on": {"$ref": "#/$defs/event", "description": "The event that lets people in."},
                "times": {"type": "integer", "minimum": 1, "maximum": MAX_TIMES, "default": 1},
                "within": {"$ref": "#/$defs/duration", "default": TRIGGER_WITHIN},
                "audience": {"$ref": "#/$defs/predicate", "description": "Whom it lets in."},
            },
            required=["on"],
        ),
        "if": _object({"times": {"minimum": 2}}, required=["times"], closed=False),
        "then": {"required": ["within"]},
    }


def _by_audience() -> Schema:
    return _object({"audience": {"$ref": "#/$defs/predicate"}}, required=["audience"])


def _by_date() -> Schema:
    return _object(
        {
            "date": {"$ref": "#/$defs/date"},
            "days_before": {"$ref": "#/$defs/days"},
            "audience": {"$ref": "#/$defs/predicate"},
        },
        required=["date"],
    )


def _every_step() -> list[Schema]:
    return [
        _step("send", _send(), when={"$ref": "#/$defs/predicate"}),
        _step("wait", {"oneOf": [{"$ref": "#/$defs/duration"}, *_waits()]}),
        _step("branch", _branch()),
        _step("end", {"enum": ["", None]}),
        {"const": "end", "description": "Ends the journey for whoever gets here."},
    ]


def _step(word: str, value: Schema, **beside: Schema) -> Schema:
    return _object({word: value, **beside, "id": {"$ref": "#/$defs/name"}}, required=[word])


def _send() -> Schema:
    return _object(
        {
            "channel": {"enum": sorted(known_channels())},
            "template": {"type": "string", "pattern": TEMPLATE_PATTERN, "maxLength": MAX_NAME},
            "variants": {
                "type": "array",
                "items": {"oneOf": [{"$ref": "#/$defs/name"}, {"$ref": "#/$defs/variant"}]},
                "minItems": 2,
                "maxItems": MAX_VARIANTS,
                "uniqueItems": True,
                "description": "One is drawn for each person and stays.",
            },
            "measure": {
                "enum": [measure.value for measure in Measure],
                "default": Measure.RETURNED.value,
                "description": "What tells the variants apart; opens do not.",
            },
            "offer": {
                "type": "string",
                "pattern": OFFER_PATTERN,
                "description": "What it brings: an offer of offers.yaml, or `ladder NAME`.",
            },
            "without_offer": {
                "enum": list(WITHOUT_OFFER),
                "default": WITHOUT_OFFER[0],
                "description": "What becomes of the message where no offer may be given.",
            },
            "destination": {
                "$ref": "#/$defs/name",
                "description": "The list that people are put on, where the channel has lists.",
            },
            "id": {"$ref": "#/$defs/name", "description": "What the step is known by."},
        },
        required=["channel"],
    ) | {
        "dependentRequired": {"without_offer": ["offer"], "measure": ["variants"]},
        "oneOf": [{"required": ["template"]}, {"required": ["destination"]}],
    }


def _waits() -> Sequence[Schema]:
    moment = rf"^({_WEEKDAY}|{TIME_PATTERN}|{_WEEKDAY}\s+{TIME_PATTERN})$"
    date = _object(
        {"date": {"$ref": "#/$defs/date"}, "days_before": {"$ref": "#/$defs/days"}},
        required=["date"],
    )
    duration = {"$ref": "#/$defs/duration"}
    events = {"$ref": "#/$defs/events"}
    return (
        _object({"for": duration, "or_on": events}, required=["for"]),
        _object({"until": events, "at_most": duration}, required=["until", "at_most"]),
        _object({"until": {"type": "string", "pattern": moment}}, required=["until"]),
        _object(
            {"until": date, "at_most": {**duration, "default": DATE_AT_MOST}}, required=["until"]
        ),
    )


def _branch() -> Schema:
    return {
        "type": "array",
        "items": {"$ref": "#/$defs/way"},
        "minItems": 1,
        "contains": {"required": ["when"]},
        "description": "Each person takes the first way whose condition they meet.",
    }


def _variant() -> Schema:
    return _object(
        {
            "name": {"$ref": "#/$defs/name"},
            "subject": {
                "type": "string",
                "minLength": 1,
                "maxLength": MAX_SUBJECT,
                "description": "Its subject, in place of the template's.",
            },
            "template": {"type": "string", "pattern": TEMPLATE_PATTERN, "maxLength": MAX_NAME},
            "share": {
                "oneOf": [
                    {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*%$"},
                    {"type": "number", "minimum": MIN_SHARE, "exclusiveMaximum": 1},
                ],
                "examples": ["30%"],
                "description": "How many are given it; what is left is the others' alike.",
            },
        },
        required=["name"],
    )


def _way() -> Schema:
    steps = {"$ref": "#/$defs/steps"}
    when = {"$ref": "#/$defs/predicate"}
    return {
        "oneOf": [
            _object({"when": when, "steps": steps}, required=["when", "steps"]),
            _object({"otherwise": steps}, required=["otherwise"]),
        ]
    }


def _object(
    properties: Mapping[str, Any], *, required: Sequence[str], closed: bool = True
) -> Schema:
    found: Schema = {"properties": dict(properties), "required": list(required)}
    if closed:
        found |= {"type": "object", "additionalProperties": False}
    return found

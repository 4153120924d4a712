"""The JSON Schema of a journey file, so that editors complete and check it.

It is built from the words the loader knows. The loader is the judge: it also sees
what a schema cannot, such as a key written twice.
"""

from __future__ import annotations

from typing import Any

from rekindle.config import DURATION_UNITS
from rekindle.journeys.loading import (
    MAX_HOLDOUT,
    MAX_NAME,
    NAME_PATTERN,
    SIGNALS,
    STALE_AFTER,
    TEMPLATE_PATTERN,
)
from rekindle.vocabulary import Channel, Purpose

_DURATION_PATTERN = rf"0*[1-9][0-9]*\s+({'|'.join(DURATION_UNITS)})s?"


def journey_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema, draft 2020-12) of a journey file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rekindle journey",
        "description": "Who is written to, when, with what, and what ends it.",
        **_object(_journey_properties(), required=["journey", "enter", "goal", "steps"]),
        "$defs": {
            "name": {"type": "string", "pattern": NAME_PATTERN, "maxLength": MAX_NAME},
            "predicate": {
                "type": "string",
                "pattern": r"\S",
                "examples": ["tier = 'lapsed' and orders_count >= 2"],
            },
            "duration": {
                "type": "string",
                "pattern": rf"^{_DURATION_PATTERN}$",
                "examples": ["5 days", "16 hours", "2 weeks"],
            },
            "signal": {"enum": list(SIGNALS)},
            "send": _send(),
        },
    }


def _journey_properties() -> dict[str, Any]:
    return {
        "journey": {"$ref": "#/$defs/name", "description": "The journey's name."},
        "purpose": {
            "enum": [purpose.value for purpose in Purpose],
            "default": Purpose.MARKETING.value,
            "description": "Marketing needs permission and is capped; transactional is not.",
        },
        "hypothesis": {"type": "string", "pattern": r"\S", "description": "What you expect."},
        "enter": {
            **_object({"audience": {"$ref": "#/$defs/predicate"}}, required=["audience"]),
            "description": "Who enters: a condition over the profile.",
        },
        "reenter": {
            "type": "string",
            "pattern": rf"^(never|after\s+{_DURATION_PATTERN})$",
            "default": "never",
            "description": "Whether a person may enter again, and how long after entering.",
        },
        "goal": {
            **_object(
                {"on": {"$ref": "#/$defs/signal"}, "within": {"$ref": "#/$defs/duration"}},
                required=["on", "within"],
            ),
            "description": "What counts as success in a report; it ends nothing.",
        },
        "exit": {
            "type": "array",
            "items": {"$ref": "#/$defs/signal"},
            "default": list(SIGNALS),
            "description": "What ends it; opt-out, complaint and bounce always do.",
        },
        "holdout": _holdout(),
        "stale_after": {
            "$ref": "#/$defs/duration",
            "default": STALE_AFTER,
            "description": "A message later than this is skipped.",
        },
        "steps": _steps(),
    }


def _holdout() -> dict[str, Any]:
    return {
        "oneOf": [
            {"enum": ["auto", "none"]},
            {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_HOLDOUT},
        ],
        "default": "auto",
        "description": "The share of people left out so that the lift can be measured.",
    }


def _steps() -> dict[str, Any]:
    send = _object(
        {"send": {"$ref": "#/$defs/send"}, "when": {"$ref": "#/$defs/predicate"}},
        required=["send"],
    )
    wait = _object({"wait": {"$ref": "#/$defs/duration"}}, required=["wait"])
    return {
        "type": "array",
        "items": {"oneOf": [send, wait]},
        "contains": {"required": ["send"]},
        "description": "What happens, one after the other.",
    }


def _send() -> dict[str, Any]:
    template = {"type": "string", "pattern": TEMPLATE_PATTERN, "maxLength": MAX_NAME}
    return _object(
        {"channel": {"enum": [channel.value for channel in Channel]}, "template": template},
        required=["channel", "template"],
    )


def _object(properties: dict[str, Any], *, required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }

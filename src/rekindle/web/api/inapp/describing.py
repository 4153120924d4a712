"""The two calls of in-app messages, as the OpenAPI document describes them."""

from __future__ import annotations

from typing import Any

from rekindle.web.api.inapp.allowance import MOST
from rekindle.web.api.inapp.views import ASK, EVENTS, MOST_EVENTS, TOKEN, WORDS

TEXT = {"type": "string"}
USER = "The customer's id; with a server's key."
TOKENS = "Whom it is for, signed by your server; with a browser's key."
FAILURES = {
    "400": "Nobody is named, or the body could not be read.",
    "401": "No key, an unknown one, or one that was revoked.",
    "403": "A token that is missing, over or forged, or a page that api.origins does not name.",
    "429": f"More than {MOST} calls a minute for one person; ask again after Retry-After.",
    "503": "The ledger is busy or away; nothing was kept, send the same after Retry-After.",
}


def describe_paths() -> dict[str, Any]:
    """Return both calls by their address."""
    return {
        ASK: {
            "get": {
                "operationId": "inapp",
                "summary": "Ask what a person is to see now.",
                "parameters": [
                    {"name": "user", "in": "query", "schema": TEXT, "description": USER},
                    {"name": TOKEN, "in": "header", "schema": TEXT, "description": TOKENS},
                ],
                "responses": _responses("The message, null for none.", "Asked"),
            }
        },
        EVENTS: {
            "post": {
                "operationId": "inappEvents",
                "summary": "Say what a person did with a message of theirs.",
                "requestBody": {"required": True, "content": _content("Seen")},
                "responses": _responses("Taken; what was refused is listed.", "Heard"),
            }
        },
    }


def describe_shapes() -> dict[str, Any]:
    """Return what is sent and answered, by name."""
    message = {
        "type": ["object", "null"],
        "required": ["id", "title", "body", "url", "until"],
        "properties": {
            **dict.fromkeys(("id", "title", "body", "url"), TEXT),
            "until": {**TEXT, "format": "date-time"},
        },
    }
    event = {
        "type": "object",
        "required": ["message", "event"],
        "properties": {
            "message": {**TEXT, "description": "The id of the message."},
            "event": {**TEXT, "enum": list(WORDS)},
        },
    }
    refused = {
        "type": "object",
        "properties": {
            "index": {"type": "integer"},
            "reason": {**TEXT, "enum": ["unknown_message", "unreadable"]},
        },
    }
    success = {"const": True}
    return {
        "Asked": {"type": "object", "properties": {"success": success, "message": message}},
        "Seen": {
            "type": "object",
            "required": ["events"],
            "properties": {
                "events": {"type": "array", "maxItems": MOST_EVENTS, "items": event},
                "user": {**TEXT, "description": USER},
                "token": {**TEXT, "description": TOKENS},
            },
        },
        "Heard": {
            "type": "object",
            "properties": {
                "success": success,
                "new": {"type": "integer"},
                "refused": {"type": "array", "items": refused},
            },
        },
    }


def _responses(about: str, shape: str) -> dict[str, Any]:
    failures = {status: {"description": text} for status, text in FAILURES.items()}
    return {"200": {"description": about, "content": _content(shape)}, **failures}


def _content(shape: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape}"}}}
